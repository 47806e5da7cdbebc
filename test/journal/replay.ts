import type { PartitionJournal } from '../../src/journal/contract.js';
import {
  EMPTY_RECORD,
  type JournalEntry,
  type JournalRecord,
  type Refusal,
} from '../../src/journal/record.js';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { PendingRows } from '../../src/partition/pending.js';

export interface Replay {
  /** What the journal folds to. */
  readonly pending: PendingRows;
  /** Last sequence of the snapshot. */
  readonly base: number;
  /** Last sequence of all. */
  readonly last: number;
  /** Last batch, by the base and the records. */
  readonly batchId: number;
  readonly records: readonly { readonly sequence: number; readonly record: JournalRecord }[];
}

/** Replays a partition as a writer does. */
export async function replay(journal: PartitionJournal): Promise<Replay> {
  const pending = new PendingRows();
  const records: { sequence: number; record: JournalRecord }[] = [];
  let base = -1;
  let last = -1;
  let batchId = -1;
  for await (const { sequence, event } of journal.replay()) {
    if ((event.kind === 'base') !== base < 0) throw new Error('a replay begins with its base, and has one');
    last = sequence;
    if (event.kind === 'base') {
      base = sequence;
      batchId = event.batchId;
    } else if (event.kind === 'rows') {
      if (records.length > 0) throw new Error('the snapshot comes before the records');
      pending.restore(event.rows);
    } else {
      const { record } = event;
      records.push({ sequence, record });
      pending.confirm(record.confirmed, 0);
      pending.confirm(record.refused, 0);
      pending.fold(record.rows, Math.floor(record.at / 1000));
      if (record.batchId > 0) batchId = record.batchId;
    }
  }
  return { pending, base, last, batchId, records };
}

/** What a writer appends for a batch of rows; further fields of the record, and refusals, as given. */
export function entryOf(
  batchId: number,
  rows: Int32Array,
  { refusals = [], ...fields }: Partial<JournalRecord> & { readonly refusals?: readonly Refusal[] } = {},
): JournalEntry {
  const received = rows.length / WORDS_PER_ROW;
  return { record: { ...EMPTY_RECORD, at: 5000, batchId, received, rows, ...fields }, refusals };
}
