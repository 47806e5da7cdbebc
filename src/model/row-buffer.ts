import { WORDS_PER_ROW } from './row.js';

/** Fewer words are copied quicker one by one than in bulk, which allocates. */
const BULK_WORDS = 16 * WORDS_PER_ROW;

/** Packed rows that grow: what decoders and batches are written into. */
export class RowBuffer {
  words: Int32Array;
  /** Rows written so far. */
  length = 0;
  readonly #pool: RowBufferPool | undefined;

  /** `pool`: who gets the buffer when it is released; nobody unless given. */
  constructor(initialRows = 256, pool?: RowBufferPool) {
    this.words = new Int32Array(initialRows * WORDS_PER_ROW);
    this.#pool = pool;
  }

  /** Makes room for one more row and returns the index of its first word; the words hold leftovers. */
  next(): number {
    const at = this.length * WORDS_PER_ROW;
    if (at === this.words.length) this.#grow(at + WORDS_PER_ROW);
    this.length++;
    return at;
  }

  /** Appends the rows whose words are `rows[from … to)`. */
  append(rows: Int32Array, from: number, to: number): void {
    const at = this.length * WORDS_PER_ROW;
    if (at + to - from > this.words.length) this.#grow(at + to - from);
    const { words } = this;
    if (to - from >= BULK_WORDS) words.set(rows.subarray(from, to), at);
    else for (let word = from; word < to; word++) words[at + word - from] = rows[word]!;
    this.length += (to - from) / WORDS_PER_ROW;
  }

  #grow(words: number): void {
    const larger = new Int32Array(Math.max(words, this.words.length * 2));
    larger.set(this.words);
    this.words = larger;
  }

  /** The rows written so far, in the buffer's own memory: valid until it is written to or released. */
  rows(): Int32Array {
    return this.words.subarray(0, this.length * WORDS_PER_ROW);
  }

  /** Drops the first rows; the others move up. */
  dropFirst(rows: number): void {
    this.words.copyWithin(0, rows * WORDS_PER_ROW, this.length * WORDS_PER_ROW);
    this.length -= rows;
  }

  /** Its rows are not needed any more: the buffer is emptied, and used again for others. */
  release(): void {
    this.length = 0;
    this.#pool?.give(this);
  }
}

export interface RowBufferPoolOptions {
  /** Rows a new buffer has room for. */
  readonly initialRows: number;
  /** Released buffers that are kept, at most. */
  readonly maxSpares: number;
  /** Rows a buffer that is kept has room for, at most: a few giants shall not stay for ever. */
  readonly maxSpareRows: number;
}

/** Row buffers that are used again and again: allocating them anew would have the collector run for little else. */
export class RowBufferPool {
  readonly #options: RowBufferPoolOptions;
  readonly #spares: RowBuffer[] = [];

  constructor(options: RowBufferPoolOptions) {
    this.#options = options;
  }

  /** An empty buffer, to be given back by its `release`; one that is not is collected as garbage. */
  take(): RowBuffer {
    return this.#spares.pop() ?? new RowBuffer(this.#options.initialRows, this);
  }

  /** For buffers: takes one back. */
  give(buffer: RowBuffer): void {
    const { maxSpares, maxSpareRows } = this.#options;
    if (this.#spares.length < maxSpares && buffer.words.length <= maxSpareRows * WORDS_PER_ROW) {
      this.#spares.push(buffer);
    }
  }
}
