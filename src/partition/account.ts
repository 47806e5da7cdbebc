import type { JournalRecord } from '../journal/record.js';
import { WORDS_PER_ROW } from '../model/row.js';
import type { Applied } from './apply.js';
import { Counts } from './counts.js';
import type { PendingRows } from './pending.js';

/** The counts of a writer and what it holds, over all its incarnations. */
export class Account {
  readonly counts = new Counts();
  /** Pending keys when the last record had been applied. */
  keys = 0;
  /** Values in flight that newer ones had replaced by then. */
  superseded = 0;
  /** Records up to this sequence are in the counts. Before the first recovery, none is to be counted. */
  countedSequence = Number.POSITIVE_INFINITY;

  /** Values held; as before the crash while an incarnation is being rebuilt. */
  get held(): number {
    return this.keys + this.superseded;
  }

  /** A record was applied. */
  count(sequence: number, record: JournalRecord, applied: Applied): void {
    const { counts } = this;
    counts.upserted += applied.confirmed + record.superseded;
    counts.deadLettered += applied.refused + record.refusedSuperseded + record.quarantined;
    counts.received += record.received;
    const merged = record.received - record.quarantined - record.rows.length / WORDS_PER_ROW;
    counts.coalesced += applied.coalesced + merged;
    this.countedSequence = sequence;
  }

  /**
   * A record was applied during recovery. At most the last one was durable and not counted when the writer crashed;
   * what it settles was in flight then, and is held by the account until the recovery is over.
   */
  replayed(sequence: number, record: JournalRecord, applied: Applied): void {
    if (sequence <= this.countedSequence) return;
    this.count(sequence, record, applied);
    this.superseded -= record.superseded + record.refusedSuperseded;
    this.keys += record.rows.length / WORDS_PER_ROW - applied.coalesced - applied.confirmed - applied.refused;
  }

  /** The map has come to rest after a record or a failed chunk. */
  rest(pending: PendingRows): void {
    this.keys = pending.keys;
    this.superseded = pending.held - pending.keys;
  }

  /** An incarnation has replayed the journal. */
  recovered(pending: PendingRows, sequence: number): void {
    const { keys } = pending;
    if (this.countedSequence === Number.POSITIVE_INFINITY) this.counts.recovered += keys;
    // Equal, unless a record went into quarantine: then its rows are there, or rows are back that it had settled.
    else if (keys < this.keys) this.counts.deadLettered += this.keys - keys;
    else this.counts.recovered += keys - this.keys;
    // Values that were in flight when the last incarnation crashed, and replaced: whether or not the store got
    // them, it will get the newer ones.
    this.counts.coalesced += this.superseded;
    this.countedSequence = sequence;
    this.rest(pending);
  }
}
