import { type RowBatch, WORDS_PER_ROW } from '../model/row.js';
import type { PendingRows } from '../partition/pending.js';

/** Rows that the store took so long ago say something of it still. */
const KNOWN_MS = 60_000;

/** What the store took last: a row of it tells whether the store takes anything now. */
export class ControlRow {
  #rows: RowBatch | undefined;
  #atMs = 0;

  /** The store took these rows just now. */
  taken(rows: RowBatch): void {
    this.#rows = rows;
    this.#atMs = performance.now();
  }

  /**
   * A row that the store took a moment ago, and nothing newer of its key: a newer value may have been sent, and may be
   * stored although nobody confirmed it.
   */
  find(pending: Pick<PendingRows, 'has'>): RowBatch | undefined {
    const rows = this.#rows;
    if (!rows || performance.now() - this.#atMs > KNOWN_MS) return undefined;
    for (let at = 0; at < rows.length; at++)
      if (!pending.has(rows.words, at * WORDS_PER_ROW)) return rows.slice(at, at + 1);
    return undefined;
  }
}
