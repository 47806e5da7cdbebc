import { WORDS_PER_ROW } from '../model/row.js';
import type { RowBuffer } from '../model/rowbuffer.js';
import { RowMap } from './rowmap.js';

const INITIAL_KEYS = 64;
/** Numbers of gatherings are int32. */
const LAST_GATHERING = 0x7fffffff;

/**
 * Merges rows until somebody takes them: each key once, with its newest value.
 *
 * Keys are remembered beyond that. What agents report they report again, so the next gathering finds most keys where
 * the last one left them, instead of building a map anew. When more than `maxKnown` keys are remembered, all are
 * forgotten, so that keys which never come again cost no more than they would without.
 */
export class Merge {
  readonly #known = new RowMap();
  readonly #maxKnown: number;
  /** Of each slot, the gathering in which a row was last put there. */
  #gatherings = new Int32Array(INITIAL_KEYS);
  #gathering = 1;
  /** Slots of the present gathering, in the order keys came first. */
  #slots = new Int32Array(INITIAL_KEYS);
  #keys = 0;

  constructor(maxKnown: number) {
    this.#maxKnown = maxKnown;
  }

  /** Keys that wait to be taken. */
  get keys(): number {
    return this.#keys;
  }

  /** Adds the row at `rows[at]`. */
  put(rows: Int32Array, at: number): void {
    const slot = this.#known.put(rows, at);
    if (slot >= this.#gatherings.length) this.#grow();
    if (this.#gatherings[slot] === this.#gathering) return;
    this.#gatherings[slot] = this.#gathering;
    this.#slots[this.#keys++] = slot;
  }

  /** Moves what was merged to the end of `into`, in the order keys came first. */
  take(into: RowBuffer): void {
    const { words } = this.#known;
    for (let index = 0; index < this.#keys; index++) {
      const from = this.#slots[index]! * WORDS_PER_ROW;
      const to = into.next();
      const target = into.words;
      for (let word = 0; word < WORDS_PER_ROW; word++) target[to + word] = words[from + word]!;
    }
    this.#keys = 0;
    if (this.#known.size > this.#maxKnown) this.#known.clear();
    if (this.#gathering === LAST_GATHERING) {
      this.#gatherings.fill(0);
      this.#gathering = 0;
    }
    this.#gathering++;
  }

  #grow(): void {
    const gatherings = new Int32Array(this.#known.capacity);
    gatherings.set(this.#gatherings);
    this.#gatherings = gatherings;
    const slots = new Int32Array(this.#known.capacity);
    slots.set(this.#slots);
    this.#slots = slots;
  }
}
