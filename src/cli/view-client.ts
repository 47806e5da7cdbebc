import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { type AdminReply, askAdmin, objectIn, placeOf } from './admin-client.js';
import { UnaskedError, UsageError } from './terminal.js';

/** A view that does not answer for so long is as good as none. */
const IDLE_MS = 10_000;
/**
 * A view that is starting, as it is for a moment after `serve` is ready, is asked again for so long: less than the ten
 * seconds that monitors commonly give `status --check`.
 */
const STARTING_MS = 8000;
const AGAIN_MS = 200;

type Query = Readonly<Record<string, string>>;

/** Asks the view of a running reporter. Everything rejects with UnaskedError when it cannot be asked. */
export class ViewClient {
  readonly #address: Address;
  readonly #token: string | undefined;
  readonly #certificate: string | undefined;

  /** `certificate`: see `AdminQuestion`. */
  constructor(address: Address, token: string | undefined, certificate: string | undefined) {
    this.#address = address;
    this.#token = token;
    this.#certificate = certificate;
  }

  async json<Body>(path: string, query: Query, signal?: AbortSignal): Promise<Body> {
    const text = await this.text(path, query, signal);
    const body = objectIn(text);
    if (body) return body as Body;
    throw new UnaskedError(`what answers at ${placeOf(this.#address)} is no reporter, or another version`);
  }

  async text(path: string, query: Query, signal?: AbortSignal): Promise<string> {
    const deadline = performance.now() + STARTING_MS;
    for (;;) {
      const reply = await this.#ask(path, query, signal);
      if (reply.status !== 503 || !isStarting(reply) || performance.now() > deadline)
        return this.#read(reply);
      await pause(AGAIN_MS, undefined, { ...(signal ? { signal } : {}) });
    }
  }

  #ask(path: string, query: Query, signal: AbortSignal | undefined): Promise<AdminReply> {
    const parameters = new URLSearchParams(query);
    return askAdmin({
      ...{ address: this.#address, token: this.#token, certificate: this.#certificate },
      ...{ method: 'GET', idleMs: IDLE_MS },
      path: parameters.size === 0 ? path : `${path}?${parameters}`,
      ...(signal ? { signal } : {}),
    }).catch((error: NodeJS.ErrnoException) => {
      throw new UnaskedError(
        `no reporter answers at ${placeOf(this.#address)} (${error.code ?? messageOf(error)}): is it running, and are admin.host and admin.port those of its configuration? --admin HOST:PORT names another`,
        { cause: error },
      );
    });
  }

  /** The text of a good answer. Throws what is wrong otherwise. */
  #read(reply: AdminReply): string {
    const { status, text } = reply;
    if (status === 200) return text;
    const error = errorIn(reply) ?? 'it is no reporter, or another version';
    // It was asked, and knows no such service, or nothing of what was meant.
    if (status === 400) throw new UsageError(error);
    if (status === 404 && !error.includes('view.enabled')) throw new Error(error);
    const hint =
      status === 401 ? '; set admin.token or admin.viewToken to that of the reporter (LARS_ADMIN_TOKEN)' : '';
    throw new UnaskedError(`the reporter at ${placeOf(this.#address)} answers ${status}: ${error}${hint}`);
  }
}

function errorIn({ text }: AdminReply): string | undefined {
  return (objectIn(text) as { readonly error?: string } | undefined)?.error;
}

const isStarting = (reply: AdminReply) => errorIn(reply)?.includes('is starting') ?? false;
