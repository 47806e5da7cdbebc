import type { StoreError } from '../model/errors.js';
import type { StoreState } from '../model/status.js';
import type { EventSink } from './events.js';

/** A store that keeps failing is reported this often per writer, milliseconds. */
const REMINDER_MS = 30_000;

/** How the store is for one writer, over all incarnations of the writer. */
export class StoreHealth {
  readonly #partition: number;
  readonly #events: EventSink;
  readonly #nowMs: () => number;
  #state: StoreState = { state: 'ok' };
  #toldMs = 0;

  /** `nowMs`: a clock that runs evenly. The wall clock may be set, and then no reminder would come. */
  constructor(partition: number, events: EventSink, nowMs: () => number = () => performance.now()) {
    this.#partition = partition;
    this.#events = events;
    this.#nowMs = nowMs;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** A statement was stored. */
  ok(): void {
    if (this.#state.state === 'ok') return;
    this.#state = { state: 'ok' };
    this.#events.emit({ type: 'store-state', partition: this.#partition, state: 'ok' });
  }

  /** The store takes nothing for this reason. Not for rows it refuses. */
  failed(error: StoreError): void {
    const before = this.#state;
    const { class: errorClass, code, message } = error;
    const sinceMs = before.state === 'failing' ? before.sinceMs : Date.now();
    this.#state = { state: 'failing', class: errorClass, code, message, sinceMs };
    const nowMs = this.#nowMs();
    const isNew = before.state === 'ok' || before.code !== code;
    if (!isNew && nowMs - this.#toldMs < REMINDER_MS) return;
    this.#toldMs = nowMs;
    this.#events.emit({ type: 'store-state', partition: this.#partition, state: 'failing', error, isNew });
  }
}
