import type { RowBuffer } from '../model/row-buffer.js';
import type { Credit } from './protocol.js';

/** Rows of one sender, of any partitions, in the order they were read. */
export interface Incoming {
  readonly rows: RowBuffer;
  readonly credit: Credit;
}

/** Chunks that wait here at most when nobody waits for them: the buffers they lie in are wanted by others. */
const MAX_WAITING = 16;

/**
 * Where senders leave rows for the router, which it empties at one go.
 *
 * A mailbox would give it one message a turn of the event loop: under a flood chunks would wait in it for many turns,
 * journaled messages behind them, and batches would be handed over that hold little of what is there. Nor is it told of
 * each chunk when chunks come one by one: what is to go on later is taken together.
 * Bounded by credit, as a mailbox would be.
 */
export class Inbox {
  readonly #signal: () => boolean;
  readonly #isDue: () => boolean;
  #waiting: Incoming[] = [];
  #signalled = false;
  #rows = 0;

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
    return this.#rows;
  }

  /** The rows go their way; their buffer is the router's to release. */
  offer(rows: RowBuffer, credit: Credit): void {
    this.#waiting.push({ rows, credit });
    this.#rows += rows.length;
    if (this.#signalled) return;
    if (credit.isAwaited || this.#waiting.length >= MAX_WAITING || this.#isDue()) this.flush();
  }

  /** The router is to look, also for what it has taken and not handed over yet. */
  flush(): void {
    if (!this.#signalled) this.#signalled = this.#signal();
  }

  /** Takes what waits, oldest first, until it is `maxRows` rows or more; the router is signalled again for the rest. */
  take(maxRows: number): Incoming[] {
    let rows = 0;
    let count = 0;
    while (count < this.#waiting.length && rows < maxRows) rows += this.#waiting[count++]!.rows.length;
    const taken = this.#waiting.splice(0, count);
    this.#rows -= rows;
    this.#signalled = this.#waiting.length > 0 && this.#signal();
    return taken;
  }
}
