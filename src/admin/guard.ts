import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Role, Sessions } from './browser-sessions.js';
import { type Answer, failure } from './route.js';

const FOREIGN_HOST = failure(
  403,
  'the Host header is not a name of this server: ask for localhost or an IP address, or set admin.token',
);
const FOREIGN_ORIGIN = failure(403, 'pages of other sites may not change anything here');
const READS_ONLY = failure(403, 'admin.viewToken may read everything and change nothing: use admin.token');
const HOST_READS_ONLY = failure(403, 'this asker may read everything and change nothing');

/** What the guard has to know of a request. */
export interface Asking {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether it would change something of the reporter. */
  readonly changes: boolean;
  /** What the asker may do, where a host has checked that; undefined: the guard is to. */
  readonly role?: Role | undefined;
}

export interface GuardOptions {
  /** The configured `admin.host`, under which the server may always be asked. */
  readonly host: string;
  /** Opens everything. */
  readonly token?: string | undefined;
  /** Opens what changes nothing. */
  readonly viewToken?: string | undefined;
}

/**
 * Who may ask. With a token: who presents it, or the cookie of a session that was begun with it. Without one, the
 * server listens on this machine only, and is protected from pages of other sites that a browser on this machine
 * shows: those reach it under a name of their own that they point to 127.0.0.1 (DNS rebinding), or blindly send it a
 * form.
 */
export class Guard {
  readonly sessions: Sessions;
  readonly #host: string;
  #tokens: readonly { readonly role: Role; readonly digest: Buffer }[] = [];
  #unauthorized: Answer = FOREIGN_HOST;

  constructor({ host, token, viewToken }: GuardOptions, sessions: Sessions) {
    this.sessions = sessions;
    this.#host = host.toLowerCase();
    this.setTokens({ token, viewToken });
  }

  /** From now on these open it. Sessions end: they were begun with those of before. */
  setTokens({ token, viewToken }: Pick<GuardOptions, 'token' | 'viewToken'>): void {
    this.sessions.endAll();
    this.#tokens = [
      ...(token === undefined ? [] : [{ role: 'admin', digest: digest(Buffer.from(token)) } as const]),
      ...(viewToken === undefined ? [] : [{ role: 'view', digest: digest(Buffer.from(viewToken)) } as const]),
    ];
    const name = token === undefined ? 'admin.viewToken' : 'admin.token';
    this.#unauthorized = failure(401, `needs the header "Authorization: Bearer TOKEN", with ${name}`, {
      'www-authenticate': 'Bearer realm="lars-reporter"',
    });
  }

  /** Whether anything has to be presented at all. */
  get needsToken(): boolean {
    return this.#tokens.length > 0;
  }

  /** What to answer instead, or undefined when the request may be served. */
  refusal({ method, headers, changes, role: given }: Asking): Answer | undefined {
    const reads = isRead(method);
    if (given !== undefined) {
      if (changes && given !== 'admin') return HOST_READS_ONLY;
      // Whatever the host knows of the asker, the browser may have sent it by itself.
      return reads ? undefined : this.foreignOrigin(headers);
    }
    if (!this.needsToken) {
      // No browser leaves it out; HTTP/1.0 probes do.
      if (headers.host !== undefined && !this.#isOwn(headers.host)) return FOREIGN_HOST;
      return reads ? undefined : this.foreignOrigin(headers);
    }
    const role = this.roleOf(headers);
    if (!role) return this.#unauthorized;
    if (!reads && headers.authorization === undefined) {
      const foreign = this.foreignCookie(headers);
      if (foreign) return foreign;
    }
    return changes && role !== 'admin' ? READS_ONLY : undefined;
  }

  /** Who asks; undefined when that is not known. Without a token, everyone may do everything. */
  roleOf({ authorization, cookie }: IncomingHttpHeaders): Role | undefined {
    if (!this.needsToken) return 'admin';
    if (authorization === undefined) return this.sessions.of(cookie)?.role;
    const presented = /^bearer +(.+)$/i.exec(authorization)?.[1] ?? '';
    // Header values are bytes in latin1.
    return this.#roleWith(Buffer.from(presented, 'latin1'));
  }

  /** What a token opens; undefined when it is wrong. */
  roleWithToken(token: string): Role | undefined {
    return this.#roleWith(Buffer.from(token));
  }

  /** What to answer when a cookie is presented that is to change something: a browser sends it by itself, whoever's page asks. */
  foreignCookie({ origin, host }: IncomingHttpHeaders): Answer | undefined {
    return isOf(origin, host) ? undefined : FOREIGN_ORIGIN;
  }

  /** What to answer a page of another site. */
  foreignOrigin({ origin, host }: IncomingHttpHeaders): Answer | undefined {
    return origin === undefined || isOf(origin, host) ? undefined : FOREIGN_ORIGIN;
  }

  /** Compares digests, which have one length, in constant time, and always all of them. */
  #roleWith(presented: Buffer): Role | undefined {
    const found = digest(presented);
    return this.#tokens.filter((token) => timingSafeEqual(found, token.digest))[0]?.role;
  }

  #isOwn(header: string): boolean {
    const name = header.toLowerCase().replace(/:\d*$/, '');
    const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
    // Addresses are not looked up, so nobody can point them here.
    return name === 'localhost' || isIP(address) !== 0 || name === this.#host;
  }
}

/** Whether a method changes nothing, by what HTTP says of it. */
export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function isOf(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && origin.split('//')[1] === host;
}
