import { messageOf } from '../../model/errors.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import type { JournalEvent, JournalProblem, PartitionSurvey } from '../contract.js';
import { decodePiece, decodeRecord, wrongIn } from '../record.js';
import { type Head, NO_HEAD, type Tables } from './tables.js';

export interface Survey {
  readonly tables: Tables;
  readonly epoch: number;
  readonly partition: number;
  /** Takes what a replay would yield: the rows of the snapshot, then the records, in order. Damaged ones are left out. */
  readonly onEvent: (event: JournalEvent) => void;
}

/**
 * Reads everything a partition has stored and says what is wrong with it. Where a replay puts what is damaged into
 * quarantine, this changes nothing.
 */
export function surveyPartition(survey: Survey): PartitionSurvey {
  const { tables, epoch, partition } = survey;
  const problems: JournalProblem[] = [];
  const note = (place: string, problem: string) =>
    problems.push({ place: `partition ${partition}, ${place}`, problem });
  const head = headOf(survey, note);
  survey.onEvent({ kind: 'base', batchId: head.batchId });
  const snapshot = surveySnapshot(survey, head, note);
  const records = surveyRecords(survey, head, note);
  const all = { start: [epoch, partition], end: [epoch, partition + 1] };
  const pieces = tables.snapshots.getKeysCount(all);
  return {
    partition,
    head,
    snapshot: snapshot.totals,
    records: records.totals,
    lastSequence: records.totals.last ?? head.sequence,
    leftovers: tables.events.getKeysCount(all) - records.totals.count + pieces - snapshot.found,
    problems,
  };
}

type Note = (place: string, problem: string) => void;

function headOf({ tables, epoch, partition }: Survey, note: Note): Head {
  const head: unknown = tables.heads.get([epoch, partition]);
  if (head === undefined) return NO_HEAD;
  const { sequence, pieces, batchId } = (head ?? {}) as Partial<Head>;
  if ([sequence, pieces, batchId].every((value) => Number.isSafeInteger(value) && value! >= 0))
    return head as Head;
  note('head', `is ${JSON.stringify(head)}, expected sequence, pieces and batchId`);
  return NO_HEAD;
}

function surveySnapshot({ tables, epoch, partition, onEvent }: Survey, head: Head, note: Note) {
  const totals = { pieces: head.pieces, rows: 0, bytes: 0 };
  let found = 0;
  for (let piece = 0; piece < head.pieces; piece++) {
    const place = `snapshot ${head.sequence}, piece ${piece}`;
    const bytes = tables.snapshots.get([epoch, partition, head.sequence, piece]);
    if (!bytes) {
      note(place, 'is missing');
      continue;
    }
    found++;
    totals.bytes += bytes.length;
    const rows = readable(() => decodePiece(bytes), place, note);
    if (!rows) continue;
    totals.rows += rows.length / WORDS_PER_ROW;
    onEvent({ kind: 'rows', rows });
  }
  return { totals, found };
}

function surveyRecords({ tables, epoch, partition, onEvent }: Survey, head: Head, note: Note) {
  // What went into quarantine without a trace of it left in its place is no gap.
  const gone = new Set<number>();
  for (const key of tables.quarantine.getKeys())
    if (key[1] === epoch && key[2] === partition) gone.add(key[3]!);
  let count = 0;
  let total = 0;
  let first: number | undefined;
  let last: number | undefined;
  let expected = head.sequence + 1;
  let batchId = head.batchId;
  const range = { start: [epoch, partition, head.sequence + 1], end: [epoch, partition + 1] };
  for (const { key, value } of tables.events.getRange(range)) {
    const sequence = key[2]!;
    const place = `record ${sequence}`;
    while (expected < sequence && gone.has(expected)) expected++;
    if (expected < sequence) note(place, `follows record ${expected - 1}: what was between them is missing`);
    expected = sequence + 1;
    first ??= sequence;
    last = sequence;
    count++;
    total += value.length;
    const record = readable(() => decodeRecord(value), place, note);
    if (!record) continue;
    const wrong = wrongIn(record, batchId);
    if (wrong !== undefined) note(place, wrong);
    if (record.batchId > 0) batchId = record.batchId;
    onEvent({ kind: 'record', record });
  }
  return { totals: { count, bytes: total, first, last } };
}

function readable<T>(read: () => T, place: string, note: Note): T | undefined {
  try {
    return read();
  } catch (error) {
    note(place, messageOf(error));
    return undefined;
  }
}
