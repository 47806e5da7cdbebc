import { WORDS_PER_ROW } from '../model/row.js';
import { RowBuffer } from '../model/row-buffer.js';
import type { Credit } from './protocol.js';

/** Rows of one sender, of any partitions, in the order they were read: words `from` … `to`-1 of the inbox. */
export interface Incoming {
  readonly from: number;
  readonly to: number;
  readonly credit: Credit;
  /** When they were left here, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/** So many rows do not wait for others to go along with. */
const MAX_WAITING_ROWS = 16_384;
/** Room for more rows is given back after a burst. */
const MAX_KEPT_ROWS = 262_144;
const INITIAL_ROWS = 1024;

/**
 * Where senders leave rows for the router, which it empties at one go.
 *
 * A mailbox would give it one message a turn of the event loop: under a flood chunks would wait in it for many turns,
 * journaled messages behind them, and batches would be handed over that hold little of what is there. Nor is it told of
 * each chunk when chunks come one by one: what is to go on later is taken together.
 *
 * Rows lie here one behind the other: thousands of senders that leave a few rows each take no more memory than one that
 * leaves as many. Bounded by credit, as a mailbox would be.
 */
export class Inbox {
  readonly #signal: () => boolean;
  readonly #isDue: () => boolean;
  #buffer = new RowBuffer(INITIAL_ROWS);
  #waiting: Incoming[] = [];
  /** The first that was not taken. */
  #first = 0;
  #signalled = false;

  /**
   * `signal`: tells the router that there is something; false when it has stopped, and what is left here is lost.
   * `isDue`: whether rows may go on now; if not, `flush` is called when they may.
   */
  constructor(signal: () => boolean, isDue: () => boolean) {
    this.#signal = signal;
    this.#isDue = isDue;
  }

  /** Rows that wait here. */
  get rows(): number {
    return this.#buffer.length - (this.#waiting[this.#first]?.from ?? this.#end) / WORDS_PER_ROW;
  }

  /** The words that `take` names. Valid until something is offered. */
  get words(): Int32Array {
    return this.#buffer.words;
  }

  get #end(): number {
    return this.#buffer.length * WORDS_PER_ROW;
  }

  /** The rows, packed, go their way; they are copied. */
  offer(rows: Int32Array, credit: Credit): void {
    if (this.#first === this.#waiting.length) this.#reset();
    const from = this.#end;
    this.#buffer.append(rows, 0, rows.length);
    this.#waiting.push({ from, to: this.#end, credit, atMs: performance.now() });
    if (this.#signalled) return;
    if (credit.isAwaited || this.rows >= MAX_WAITING_ROWS || this.#isDue()) this.flush();
  }

  /** The router is to look, also for what it has taken and not handed over yet. */
  flush(): void {
    if (!this.#signalled) this.#signalled = this.#signal();
  }

  /**
   * Takes what waits, oldest first, until it is `maxRows` rows or more; the router is signalled again for the rest. To be
   * used up before anything is offered.
   */
  take(maxRows: number): readonly Incoming[] {
    if (this.#first > 0) this.#moveUp();
    let count = 0;
    for (const upTo = maxRows * WORDS_PER_ROW; count < this.#waiting.length; count++)
      if (this.#waiting[count]!.from >= upTo) break;
    this.#first = count;
    this.#signalled = count < this.#waiting.length && this.#signal();
    return count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
  }

  #reset(): void {
    this.#waiting = [];
    this.#first = 0;
    if (this.#buffer.words.length > MAX_KEPT_ROWS * WORDS_PER_ROW) this.#buffer = new RowBuffer(INITIAL_ROWS);
    else this.#buffer.release();
  }

  /** What was taken before makes room. */
  #moveUp(): void {
    const left = this.#waiting.slice(this.#first);
    const by = left[0]?.from ?? this.#end;
    this.#buffer.dropFirst(by / WORDS_PER_ROW);
    this.#waiting = left.map(({ from, to, ...rest }) => ({ from: from - by, to: to - by, ...rest }));
    this.#first = 0;
  }
}
