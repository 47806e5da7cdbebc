import type { RowBatch } from '../model/row.js';

/** Rows that were handed to the store together, with the values of that moment. */
export interface Chunk {
  /** Positive, unique among the chunks of its map that are not settled. */
  readonly id: number;
  /** Where the rows stand in the map. */
  readonly slots: Int32Array;
  /** A copy of the rows as sent, in primary-key order. */
  readonly rows: RowBatch;
}
