import { messageOf } from '../../model/errors.js';
import type { JournalEvent, JournalProblem, PartitionSurvey } from '../contract.js';
import { type JournalRecord, remainderOf, wrongIn } from '../record.js';
import { decodeEntry } from './entry.js';
import type { Place } from './log-place.js';
import { walkLog } from './log-walk.js';
import { type HeadRecord, readHead } from './partition-head.js';
import { decodeLetters, decodeRows, readPieces, rowsIn } from './pieces.js';

type Note = (place: string, problem: string) => void;
type Tell = (event: JournalEvent) => void;

/** Reads a partition as it is stored, owned by whomever; what is damaged is named, and left out. */
export async function surveyLog(place: Place, onEvent: Tell): Promise<PartitionSurvey> {
  const { link, attempts, subjects, partition } = place;
  attempts.requireOpen();
  const problems: JournalProblem[] = [];
  const note: Note = (where, problem) =>
    problems.push({ place: `partition ${partition}, ${where}`, problem });
  const { head } = await readHead(place);
  const end = await attempts.read(() => link.last(subjects.stream, subjects.log));
  onEvent({ kind: 'base', batchId: head.batchId });
  const snapshot = await surveyPieces(place, head, onEvent, note);
  const records = await surveyRecords(place, head, end?.position ?? 0, onEvent, note);
  return {
    partition,
    head: { sequence: head.sequence, pieces: snapshot.pieces, batchId: head.batchId },
    snapshot,
    records,
    lastSequence: records.last ?? head.sequence,
    // What a snapshot that was given up leaves is not counted: it goes with the next one.
    leftovers: 0,
    problems,
  };
}

async function surveyPieces(
  place: Place,
  { snapshot, sequence, damaged }: HeadRecord,
  tell: Tell,
  note: Note,
) {
  const totals = { pieces: snapshot?.pieces ?? 0, rows: 0, bytes: 0 };
  if (!snapshot) return totals;
  for await (const { number, kind, bytes } of readPieces(place, snapshot)) {
    if (damaged.includes(number)) continue;
    const where = `snapshot ${sequence}, piece ${number}`;
    if (!bytes) {
      note(where, 'is missing');
      continue;
    }
    totals.bytes += bytes.length;
    try {
      if (kind === 'letters') decodeLetters(bytes);
      if (kind !== 'rows') continue;
      const rows = decodeRows(bytes, place.peers);
      totals.rows += rowsIn(rows);
      tell({ kind: 'rows', rows });
    } catch (error) {
      note(where, messageOf(error));
    }
  }
  return totals;
}

async function surveyRecords(place: Place, head: HeadRecord, to: number, tell: Tell, note: Note) {
  const totals: { count: number; bytes: number; first: number | undefined; last: number | undefined } = {
    ...{ count: 0, bytes: 0, first: undefined, last: undefined },
  };
  let batchId = head.batchId;
  for await (const met of walkLog(place, head, to)) {
    if (met.kind === 'gap') {
      if (!head.skipped.includes(met.position))
        note(`message ${met.position}`, 'follows others that are missing');
      continue;
    }
    const { label, body, position } = met.whole;
    if (label.kind !== 'entry' || label.sequence <= head.sequence) continue;
    const isSkipped = head.skipped.includes(position);
    totals.first ??= label.sequence;
    totals.last = label.sequence;
    totals.count++;
    totals.bytes += body.length;
    let record: JournalRecord;
    try {
      record = decodeEntry(body, place.peers).record();
    } catch (error) {
      if (!isSkipped) note(`record ${label.sequence}`, messageOf(error));
      continue;
    }
    if (isSkipped) record = remainderOf(record);
    const wrong = wrongIn(record, batchId);
    if (wrong !== undefined) note(`record ${label.sequence}`, wrong);
    if (record.batchId > 0) batchId = record.batchId;
    tell({ kind: 'record', record });
  }
  return totals;
}
