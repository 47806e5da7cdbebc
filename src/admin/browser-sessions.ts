import { createHash, randomBytes } from 'node:crypto';

/** What somebody may do: everything, or look only. */
export type Role = 'admin' | 'view';

export interface Session {
  readonly role: Role;
  /** By the clock of `Sessions`, milliseconds. */
  readonly expiresMs: number;
}

/** How long a browser need not present the token again, seconds. */
export const SESSION_S = 43_200;
/** Beyond it, the session that was begun first ends. */
const MAX_SESSIONS = 1024;
const ID_BYTES = 32;
/** So many wrong tokens in a second, of all clients together; then nobody is listened to for the rest of it. */
const MAX_FAILURES = 5;
const FAILURES_MS = 1000;

/** Who has presented a token, by the cookie that they were given for it. In memory: a restart ends them all. */
export class Sessions {
  readonly #port: () => number | undefined;
  /** In the place of a port, where there is none. */
  readonly #mark = randomBytes(4).toString('hex');
  readonly #nowMs: () => number;
  /** By the digest of the id: how long a look-up takes tells nothing of an id. */
  readonly #sessions = new Map<string, Session>();
  /** When wrong tokens were presented; the last few. */
  #failuresMs: number[] = [];

  /** `port`: that of the server, once it listens, if it has one. `nowMs`: a clock that runs evenly. */
  constructor(port: () => number | undefined, nowMs: () => number = () => performance.now()) {
    this.#port = port;
    this.#nowMs = nowMs;
  }

  /** Browsers send a cookie to every port of a host; so two reporters on it need two names. */
  get cookieName(): string {
    return `lars_session_${this.#port() ?? this.#mark}`;
  }

  /** Begins a session; returns its id. */
  begin(role: Role): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const nowMs = this.#nowMs();
    // In the order of their beginning, so the expired ones are in front.
    for (const [key, { expiresMs }] of this.#sessions) {
      if (expiresMs > nowMs && this.#sessions.size < MAX_SESSIONS) break;
      this.#sessions.delete(key);
    }
    this.#sessions.set(digest(id), { role, expiresMs: nowMs + SESSION_S * 1000 });
    return id;
  }

  endAll(): void {
    this.#sessions.clear();
  }

  /** The session that the cookies of a request belong to. */
  of(cookies: string | undefined): Session | undefined {
    const id = this.#idIn(cookies);
    const session = id === undefined ? undefined : this.#sessions.get(digest(id));
    return session && session.expiresMs > this.#nowMs() ? session : undefined;
  }

  end(cookies: string | undefined): void {
    const id = this.#idIn(cookies);
    if (id !== undefined) this.#sessions.delete(digest(id));
  }

  /** Milliseconds until a session ends. */
  remainingMs({ expiresMs }: Session): number {
    return expiresMs - this.#nowMs();
  }

  /** Whether so many wrong tokens came in the last second that none is looked at. */
  get isGuessed(): boolean {
    const sinceMs = this.#nowMs() - FAILURES_MS;
    return this.#failuresMs.length === MAX_FAILURES && this.#failuresMs[0]! > sinceMs;
  }

  /** A wrong token was presented. */
  failed(): void {
    this.#failuresMs = [...this.#failuresMs, this.#nowMs()].slice(-MAX_FAILURES);
  }

  /** `Set-Cookie` that hands out an id, or takes it back when that is undefined. */
  cookie(id: string | undefined, isSecure: boolean): string {
    const parts = [`${this.cookieName}=${id ?? ''}`, 'HttpOnly', 'SameSite=Strict', 'Path=/'];
    parts.push(`Max-Age=${id === undefined ? 0 : SESSION_S}`);
    if (isSecure) parts.push('Secure');
    return parts.join('; ');
  }

  #idIn(cookies: string | undefined): string | undefined {
    const prefix = `${this.cookieName}=`;
    for (const part of (cookies ?? '').split(';')) {
      const cookie = part.trim();
      if (cookie.startsWith(prefix)) return cookie.slice(prefix.length);
    }
    return undefined;
  }
}

function digest(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
