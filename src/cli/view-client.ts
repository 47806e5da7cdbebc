import { messageOf } from '../model/errors.js';
import type { Address } from '../model/status.js';
import { askAdmin, objectIn, placeOf } from './admin-client.js';
import { UnaskedError, UsageError } from './terminal.js';

/** A view that does not answer for so long is as good as none. */
const IDLE_MS = 10_000;

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
    const at = placeOf(this.#address);
    const parameters = new URLSearchParams(query);
    const { status, text } = await askAdmin({
      ...{ address: this.#address, token: this.#token, certificate: this.#certificate },
      ...{ method: 'GET', idleMs: IDLE_MS },
      path: parameters.size === 0 ? path : `${path}?${parameters}`,
      ...(signal ? { signal } : {}),
    }).catch((error: NodeJS.ErrnoException) => {
      throw new UnaskedError(
        `no reporter answers at ${at} (${error.code ?? messageOf(error)}): is it running, and are admin.host and admin.port those of its configuration? --admin HOST:PORT names another`,
        { cause: error },
      );
    });
    if (status === 200) return text;
    const { error = 'it is no reporter, or another version' } = (objectIn(text) ?? {}) as { error?: string };
    // It was asked, and knows no such service, or nothing of what was meant.
    if (status === 400) throw new UsageError(error);
    if (status === 404 && !error.includes('view.enabled')) throw new Error(error);
    const hint =
      status === 401 ? '; set admin.token or admin.viewToken to that of the reporter (LARS_ADMIN_TOKEN)' : '';
    throw new UnaskedError(`the reporter at ${at} answers ${status}: ${error}${hint}`);
  }
}
