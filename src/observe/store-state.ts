import type { StoreError } from '../model/errors.js';
import type { Logger } from '../model/log.js';
import type { StoreState } from '../model/status.js';

/** A store that keeps failing is mentioned this often for each writer. */
const STORE_REMINDER_MS = 30_000;

/** Keeps how the store is for one writer, and says so when it changes and now and then while it lasts. */
export class StoreWatch {
  readonly #logger: Logger;
  #state: StoreState = { state: 'ok' };
  #saidMs = 0;
  #saidCode: string | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get state(): StoreState {
    return this.#state;
  }

  observe(partition: number, error: StoreError | undefined): void {
    const nowMs = Date.now();
    if (!error) {
      this.#state = { state: 'ok' };
      this.#saidCode = undefined;
      this.#logger.info({ partition }, 'the store takes rows again');
      return;
    }
    const sinceMs = this.#state.state === 'failing' ? this.#state.sinceMs : nowMs;
    const { class: errorClass, code, message } = error;
    this.#state = { state: 'failing', class: errorClass, code, message, sinceMs };
    if (code === this.#saidCode && nowMs - this.#saidMs < STORE_REMINDER_MS) return;
    this.#saidMs = nowMs;
    this.#saidCode = code;
    const fields = { partition, class: errorClass, code, error: message };
    if (errorClass === 'retry' || errorClass === 'too-large')
      this.#logger.warn(fields, 'the store failed; retrying');
    else this.#logger.error(fields, 'the store refuses rows; they wait in the journal');
  }
}
