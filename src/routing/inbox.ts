import type { RowBuffer } from '../model/row-buffer.js';
import type { Credit } from './protocol.js';

/** Rows of one sender, of any partitions, in the order they were read. */
export interface Incoming {
  readonly rows: RowBuffer;
  readonly credit: Credit;
}

/**
 * Where senders leave rows for the router, which it empties at one go.
 *
 * A mailbox would give it one message a turn of the event loop: under a flood chunks would wait in it for many turns,
 * journaled messages behind them, and batches would be handed over that hold little of what is there.
 * Bounded by credit, as a mailbox would be.
 */
export class Inbox {
  readonly #signal: () => boolean;
  #waiting: Incoming[] = [];
  #signalled = false;
  #rows = 0;

  /** `signal`: tells the router that there is something; false when it has stopped, and what is left here is lost. */
  constructor(signal: () => boolean) {
    this.#signal = signal;
  }

  /** Rows that wait here. */
  get rows(): number {
    return this.#rows;
  }

  /** The rows go their way; their buffer is the router's to release. */
  offer(rows: RowBuffer, credit: Credit): void {
    this.#waiting.push({ rows, credit });
    this.#rows += rows.length;
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
