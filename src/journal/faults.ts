/** What the journal writes: a record of a partition, or a piece of a snapshot of it. */
export interface StoredBytes {
  readonly kind: 'record' | 'piece';
  readonly partition: number;
  /** Of the record, or of the last record that the snapshot covers. */
  readonly sequence: number;
}

/** Fault injection: a disk that fills, fails, is slow, or stores something else than it was given. */
export interface JournalFaults {
  /** Called before each commit; what it throws, or rejects with, the commit fails of, having changed nothing. */
  readonly beforeCommit?: () => void | Promise<void>;
  /** The bytes that are stored instead of those it is given, which it must not change. */
  readonly onStore?: (bytes: Uint8Array, what: StoredBytes) => Uint8Array;
}
