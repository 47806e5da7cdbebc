import { WORDS_PER_ROW } from '../model/row.js';
import type { RowBuffer, RowBufferPool } from '../model/row-buffer.js';
import { RowMap } from '../partition/rowmap.js';

const INITIAL_KEYS = 64;
/** Numbers of gatherings are int32. */
const LAST_GATHERING = 0x7fffffff;
/** Fewer rows say nothing of what more would do. */
const TELLING_ROWS = 256;
/** Merging pays when the key of one row of so many is known, or better: then rows may replace each other in time. */
const WORTH_ONE_OF = 4;
/** When so many times `maxKnown` keys are forgotten, the room they took is given back, too. */
const GIANT = 4;
/** Gatherings that are not merged, where it does not pay, before it is tried again. */
const UNMERGED = 15;

/**
 * Gathers rows until somebody takes them, and merges them: of each key the newest value, in the place of the first.
 *
 * Keys are remembered beyond that. What agents report they report again, so the next gathering finds most keys where
 * the last one left them, instead of building a map anew. When more than `maxKnown` keys are remembered, all are
 * forgotten, so that keys which never come again cost no more than they would without.
 *
 * Where hardly anything repeats, as when a backlog of thousands of agents comes in, rows are only lined up most of
 * the time: whoever takes them must not rely on each key being there once.
 */
export class Merge {
  readonly #pool: RowBufferPool;
  readonly #maxKnown: number;
  #known = new RowMap();
  /** Of each slot, the gathering in which a row was last put there. */
  #gatherings = new Int32Array(INITIAL_KEYS);
  #gathering = 1;
  /** Slots of the present gathering, in the order keys came first. */
  #slots = new Int32Array(INITIAL_KEYS);
  #keys = 0;
  #received = 0;
  /** Rows of the present gathering whose keys were known. */
  #found = 0;
  /** Rows of the present gathering that are only lined up. */
  #lined: RowBuffer | undefined;
  /** Gatherings that are only lined up, the present one included. */
  #unmerged = 0;

  /** Buffers come from `pool`. */
  constructor(pool: RowBufferPool, maxKnown: number) {
    this.#pool = pool;
    this.#maxKnown = maxKnown;
  }

  /** Rows that wait to be taken, as many as there are then. */
  get rows(): number {
    return this.#lined ? this.#lined.length : this.#keys;
  }

  /** Rows they stand for, merged ones included. */
  get received(): number {
    return this.#received;
  }

  /** Adds the rows whose words are `rows[from … to)`. */
  put(rows: Int32Array, from: number, to: number): void {
    this.#received += (to - from) / WORDS_PER_ROW;
    if (this.#unmerged > 0) {
      // Not before there are rows: thousands of lanes at rest would hold a buffer each.
      this.#lined ??= this.#pool.take();
      this.#lined.append(rows, from, to);
      return;
    }
    const known = this.#known;
    const gathering = this.#gathering;
    let gatherings = this.#gatherings;
    for (let at = from; at < to; at += WORDS_PER_ROW) {
      const slot = known.put(rows, at);
      if (known.replaced) this.#found++;
      if (slot >= gatherings.length) {
        this.#grow();
        gatherings = this.#gatherings;
      }
      if (gatherings[slot] === gathering) continue;
      gatherings[slot] = gathering;
      this.#slots[this.#keys++] = slot;
    }
  }

  /** Gives what was gathered, to be released by whoever takes it; the next gathering begins. */
  take(): RowBuffer {
    const isTelling = this.#received >= TELLING_ROWS;
    const pays = this.#found * WORTH_ONE_OF >= this.#received;
    this.#received = 0;
    this.#found = 0;
    if (this.#unmerged === 0) {
      if (isTelling && !pays) this.#unmerged = UNMERGED;
      return this.#merged();
    }
    const lined = this.#lined ?? this.#pool.take();
    this.#lined = undefined;
    this.#unmerged--;
    return lined;
  }

  #merged(): RowBuffer {
    const into = this.#pool.take();
    const { words } = this.#known;
    const slots = this.#slots;
    for (let index = 0; index < this.#keys; ) {
      // What is reported in the same order again lies in one piece.
      const first = slots[index]!;
      let count = 1;
      while (index + count < this.#keys && slots[index + count] === first + count) count++;
      into.append(words, first * WORDS_PER_ROW, (first + count) * WORDS_PER_ROW);
      index += count;
    }
    this.#keys = 0;
    if (this.#known.size > this.#maxKnown) this.#forget();
    if (this.#gathering === LAST_GATHERING) {
      this.#gatherings.fill(0);
      this.#gathering = 0;
    }
    this.#gathering++;
    return into;
  }

  #forget(): void {
    if (this.#known.size <= GIANT * this.#maxKnown) {
      this.#known.clear();
      return;
    }
    this.#known = new RowMap();
    this.#gatherings = new Int32Array(INITIAL_KEYS);
    this.#slots = new Int32Array(INITIAL_KEYS);
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
