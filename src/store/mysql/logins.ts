import type { BackoffLimits } from '../../model/backoff.js';
import { isLoginRefusal } from './errors.js';

/** Servers block an account after a few failed logins, some for a day: four writers must not use these up. */
const PAUSES: BackoffLimits = { firstMs: 5_000, lastMs: 300_000 };

/** How long a login waits for the outcome of the one before it; an answer takes milliseconds. */
const TURN_MS = 1_000;

/**
 * The logins of one store. While the server refuses user or password, one of the writers tries, with growing pauses;
 * the others, and all meanwhile, are told what the server said last.
 */
export class Logins {
  readonly #pauses: BackoffLimits;
  #before: Promise<void> = Promise.resolve();
  #refusals = 0;
  #refusal: unknown;
  #untilMs = 0;

  constructor(pauses: BackoffLimits = PAUSES) {
    this.#pauses = pauses;
  }

  /** Resolves and rejects as `login` does, which is not called while a refusal is recent. */
  async attempt<Connection>(login: () => Promise<Connection>): Promise<Connection> {
    const before = this.#before;
    let done = () => {};
    this.#before = new Promise((resolve) => {
      done = resolve;
    });
    await within(before, TURN_MS);
    try {
      this.#failIfRecent();
      return await this.#login(login);
    } finally {
      done();
    }
  }

  /** User or password are others now: nothing was refused yet. */
  forget(): void {
    this.#refusals = 0;
    this.#untilMs = 0;
  }

  async #login<Connection>(login: () => Promise<Connection>): Promise<Connection> {
    try {
      const connection = await login();
      this.#refusals = 0;
      return connection;
    } catch (error) {
      if (isLoginRefusal(error)) this.#refused(error);
      throw error;
    }
  }

  #failIfRecent(): void {
    const leftMs = this.#untilMs - performance.now();
    if (leftMs <= 0) return;
    const { message, errno, code } = this.#refusal as Error & { errno?: unknown; code?: unknown };
    const later = `the next login is tried in ${Math.ceil(leftMs / 1000)} s, lest the server blocks the account`;
    throw Object.assign(new Error(`${message}; ${later}`, { cause: this.#refusal }), { errno, code });
  }

  #refused(error: unknown): void {
    const { firstMs, lastMs } = this.#pauses;
    this.#refusal = error;
    this.#refusals++;
    // The first one may have met a password in the moment it was changed.
    if (this.#refusals === 1) return;
    this.#untilMs = performance.now() + Math.min(lastMs, firstMs * 2 ** Math.min(this.#refusals - 2, 30));
  }
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
