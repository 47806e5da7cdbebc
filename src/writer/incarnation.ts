import type { JournalRecord } from '../journal/record.js';
import { PendingRows, type RestLimits } from '../partition/pending.js';
import type { LetterRequest } from '../routing/protocol.js';
import type { FlushLoop } from './flush.js';
import { FollowedBatches } from './followed.js';
import { Unchecked } from './unchecked.js';

export interface IncarnationOptions {
  readonly rests: RestLimits;
  /** A checkpoint is due when so many rows are stored. */
  readonly checkpointRows: number;
  /** Told the number of the incarnation. */
  readonly onCheckpointDue: (incarnation: number) => void;
}

/** What a writer knows between two crashes; rebuilt from the journal after each. */
export class Incarnation {
  readonly number: number;
  readonly pending: PendingRows;
  /** Sequence of the last record applied. */
  sequence = 0;
  /** Last batch that is in the journal. */
  batchId = 0;
  flush: FlushLoop | undefined;
  readonly unchecked: Unchecked;
  readonly followed = new FollowedBatches();
  /** Sequence of the event that is being replayed. */
  replaying: number | undefined;
  snapshot: Promise<void> | undefined;
  /** New keys of the batch that there was no room for, at most; 0 when none waits for room. */
  keysWithoutRoom = 0;
  /** What is being done with dead letters. */
  letters: LetterRequest | undefined;
  /** It has replayed the journal: what it holds is what is pending. */
  recovered = false;
  /** It has crashed: what it still has under way changes no count. */
  crashed = false;

  readonly #oldestBefore: number | undefined;

  /** `before`: the one that has crashed. */
  constructor({ rests, checkpointRows, onCheckpointDue }: IncarnationOptions, before?: Incarnation) {
    this.pending = new PendingRows(rests);
    this.unchecked = new Unchecked(checkpointRows, () => onCheckpointDue(this.number));
    this.number = (before?.number ?? 0) + 1;
    this.#oldestBefore = before?.oldestSince;
  }

  /**
   * Epoch second, by the even clock, since which the oldest report waits that the store does not have. Until the journal
   * is replayed, what is not read yet may be the oldest: then not later than before the crash.
   */
  get oldestSince(): number | undefined {
    const { oldestSince } = this.pending;
    if (this.recovered || this.#oldestBefore === undefined) return oldestSince;
    return Math.min(oldestSince ?? this.#oldestBefore, this.#oldestBefore);
  }

  /** A record was applied. */
  advance(sequence: number, record: JournalRecord): void {
    this.sequence = sequence;
    if (record.batchId > 0) this.batchId = record.batchId;
  }

  /** Ends flushing. Resolves when no statement and no snapshot is under way any more. */
  async rest(): Promise<void> {
    await this.flush?.stop();
    await this.snapshot;
  }
}
