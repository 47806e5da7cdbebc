import type { Chunk } from './chunk.js';
import { orderSlots } from './order.js';

/** What a pass needs of the rows it runs over. */
export interface PassedRows {
  /** The words rows stand in at this moment. */
  readonly words: Int32Array;
  /** Copies the waiting rows among `slots` into a chunk and marks them in flight. Undefined when none waits. */
  take(slots: Int32Array): Chunk | undefined;
}

/** One run over what was waiting when it began, in primary-key order. */
export class Pass {
  readonly #pending: PassedRows;
  readonly #slots: Int32Array;
  readonly #ordering: Generator<void, void, void>;
  #ordered = false;
  #cursor = 0;

  constructor(pending: PassedRows, slots: Int32Array) {
    this.#pending = pending;
    this.#slots = slots;
    this.#ordering = orderSlots(() => pending.words, slots);
  }

  /** Rows this pass began with. */
  get length(): number {
    return this.#slots.length;
  }

  /** Goes on with the ordering by one step; true when it is complete. To be called until then, before `next`. */
  order(): boolean {
    if (!this.#ordered) this.#ordered = this.#ordering.next().done === true;
    return this.#ordered;
  }

  /** The next at most `maxRows` rows with their values of this moment; undefined when the pass is over. */
  next(maxRows: number): Chunk | undefined {
    while (this.#cursor < this.#slots.length) {
      const from = this.#cursor;
      this.#cursor = Math.min(from + maxRows, this.#slots.length);
      const chunk = this.#pending.take(this.#slots.subarray(from, this.#cursor));
      if (chunk) return chunk;
    }
    return undefined;
  }
}
