/** Takes what is journaled, for whoever wants to look at it. It never waits, and what it does harms no writer. */
export interface RowFeed {
  /** Rows of a batch are on disk: packed, in their order, in memory that is theirs for this turn only. */
  journaled(partition: number, rows: Int32Array): void;
}

/** Nobody looks. */
export const NO_FEED: RowFeed = { journaled: () => {} };
