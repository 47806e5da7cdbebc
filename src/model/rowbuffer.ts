import { WORDS_PER_ROW } from './row.js';

/** Packed rows that grow: what decoders write into. One is reused for many chunks, so that it stops growing. */
export class RowBuffer {
  words: Int32Array;
  /** Rows written so far. */
  length = 0;

  constructor(initialRows = 256) {
    this.words = new Int32Array(initialRows * WORDS_PER_ROW);
  }

  /** Makes room for one more row and returns the index of its first word; the words hold leftovers. */
  next(): number {
    const at = this.length * WORDS_PER_ROW;
    if (at === this.words.length) {
      const larger = new Int32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
    }
    this.length++;
    return at;
  }

  /** The rows written so far, in memory of their own; the buffer is empty again. */
  take(): Int32Array {
    const words = this.words.slice(0, this.length * WORDS_PER_ROW);
    this.length = 0;
    return words;
  }
}
