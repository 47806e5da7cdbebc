import type { JournalFaults, StoredBytes } from '../faults.js';
import type { Commits } from './commits.js';
import type { DeadLetterTable } from './dead-letters.js';
import type { Quarantine } from './quarantine.js';
import type { Scratches } from './scratches.js';
import type { Tables } from './tables.js';
import type { Unmapped } from './unmapped.js';

/** What the partitions of a journal share. */
export interface Shared {
  readonly tables: Tables;
  readonly commits: Commits;
  readonly deadLetters: DeadLetterTable;
  readonly quarantine: Quarantine;
  readonly scratches: Scratches;
  readonly faults: JournalFaults | undefined;
  readonly unmapped: Unmapped;
}

/** Where a partition lives. */
export interface Place extends Shared {
  readonly epoch: number;
  readonly partition: number;
}

/** What a faulty disk makes of the bytes; a sound one leaves them as they are. */
export function storedBytes(
  { faults, partition }: Place,
  bytes: Uint8Array,
  kind: StoredBytes['kind'],
  sequence: number,
): Uint8Array {
  return faults?.onStore?.(bytes, { kind, partition, sequence }) ?? bytes;
}
