import { crc32 } from 'node:zlib';
import { ReporterError } from '../model/errors.js';
import { WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';

/**
 * One entry of a writer's journal: a batch that was taken in, what the store had confirmed or refused by then, or both.
 * Applying the records of a partition in order to an empty map gives the writer's pending rows.
 */
export interface JournalRecord {
  /** Milliseconds since the epoch when it was journaled. */
  readonly at: number;
  /** The router's number of the batch, rising from 1; 0 when the record carries none. */
  readonly batchId: number;
  /** Rows the batch stands for, those included that were merged before it was journaled. */
  readonly received: number;
  /** Packed rows of the batch; of rows with the same key the last one counts. */
  readonly rows: Int32Array;
  /** Packed keys whose present values the store confirmed. Applied before the rows. */
  readonly confirmed: Int32Array;
  /** Values the store confirmed besides, which newer ones had already replaced. */
  readonly superseded: number;
  /** Packed keys whose present values the store refuses: dead letters now. Applied before the rows. */
  readonly refused: Int32Array;
  /** Values the store refused besides, which newer ones had already replaced. */
  readonly refusedSuperseded: number;
  /** Rows received with a record that stood here and could not be applied: it is in quarantine. */
  readonly quarantined: number;
}

const NO_WORDS = new Int32Array(0);

/** A record that says nothing, for others to be made of. */
export const EMPTY_RECORD: JournalRecord = {
  at: 0,
  batchId: 0,
  received: 0,
  rows: NO_WORDS,
  confirmed: NO_WORDS,
  superseded: 0,
  refused: NO_WORDS,
  refusedSuperseded: 0,
  quarantined: 0,
};

/** A row that the store refuses for what it holds. */
export interface Refusal {
  /** The packed row as it was sent. */
  readonly words: Int32Array;
  /** The store's code, and what it said. */
  readonly code: string;
  readonly message: string;
}

/** A record as a writer hands it over: with what belongs to the refused rows, which goes to the dead letters. */
export interface JournalEntry {
  readonly record: JournalRecord;
  readonly refusals: readonly Refusal[];
  /** Packed keys whose dead letters go with this record: they are replayed, or dropped. None unless given. */
  readonly released?: readonly Int32Array[];
}

/**
 * Byte layout, little-endian, words of 4 bytes:
 *
 *     byte 0      4      8        16       24         28           32       36          40        44        48
 *          +------+------+--------+--------+----------+------------+--------+-----------+---------+---------+--
 *          | crc  | kind | at     | batch  | received | superseded | rows   | confirmed | refused | refused |
 *          | 32   |      | f64    | f64    |          |            | count  | count     | count   | supers. |
 *          +------+------+--------+--------+----------+------------+--------+-----------+---------+---------+--
 *
 *     byte 48            52            56
 *        --+-------------+-------------+----------------+--------------+------------+
 *          | quarantined | (reserved)  | confirmed keys | refused keys | rows       |
 *          |             |             | 5 words each   | 5 words each | 10 words … |
 *        --+-------------+-------------+----------------+--------------+------------+
 *
 * crc: of everything behind it. The rows lie as they lie in memory, so that journaling a batch copies it once.
 */
const HEADER_BYTES = 56;
/** Kind of the records of format 1. */
const KIND_BATCH = 1;

/** Format of the journal; raised whenever older readers would misread it. */
export const JOURNAL_FORMAT = 1;

/** How many bytes `encodeRecord` gives. */
export function recordBytes({ rows, confirmed, refused }: JournalRecord): number {
  return HEADER_BYTES + 4 * (confirmed.length + refused.length + rows.length);
}

/** The bytes of a record; in `scratch`, from its start, where they fit. */
export function encodeRecord(record: JournalRecord, scratch?: ArrayBuffer): Uint8Array {
  const { rows, confirmed, refused } = record;
  const length = recordBytes(record);
  const buffer = scratch && scratch.byteLength >= length ? scratch : new ArrayBuffer(length);
  const bytes = new Uint8Array(buffer, 0, length);
  const view = new DataView(buffer);
  view.setUint32(4, KIND_BATCH, true);
  view.setFloat64(8, record.at, true);
  view.setFloat64(16, record.batchId, true);
  view.setUint32(24, record.received, true);
  view.setUint32(28, record.superseded, true);
  view.setUint32(32, rows.length / WORDS_PER_ROW, true);
  view.setUint32(36, confirmed.length / WORDS_PER_KEY, true);
  view.setUint32(40, refused.length / WORDS_PER_KEY, true);
  view.setUint32(44, record.refusedSuperseded, true);
  view.setUint32(48, record.quarantined, true);
  view.setUint32(52, 0, true);
  const words = new Int32Array(buffer, HEADER_BYTES, (length - HEADER_BYTES) / 4);
  words.set(confirmed);
  words.set(refused, confirmed.length);
  words.set(rows, confirmed.length + refused.length);
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** Throws ReporterError JOURNAL_CORRUPT when the bytes are not a whole, undamaged record. */
export function decodeRecord(stored: Uint8Array): JournalRecord {
  // A copy of its own: aligned to words, and valid longer than the store's buffer.
  const bytes = new Uint8Array(stored);
  if (bytes.length < HEADER_BYTES) throw corrupt(`has ${bytes.length} bytes, fewer than a header`);
  const view = new DataView(bytes.buffer);
  const rows = view.getUint32(32, true) * WORDS_PER_ROW;
  const confirmed = view.getUint32(36, true) * WORDS_PER_KEY;
  const refused = view.getUint32(40, true) * WORDS_PER_KEY;
  const expectedBytes = HEADER_BYTES + 4 * (rows + confirmed + refused);
  if (bytes.length !== expectedBytes) throw corrupt(`has ${bytes.length} bytes instead of ${expectedBytes}`);
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4))) throw corrupt('does not match its checksum');
  if (view.getUint32(4, true) !== KIND_BATCH) throw corrupt(`is of unknown kind ${view.getUint32(4, true)}`);
  return {
    at: view.getFloat64(8, true),
    batchId: view.getFloat64(16, true),
    received: view.getUint32(24, true),
    superseded: view.getUint32(28, true),
    refusedSuperseded: view.getUint32(44, true),
    quarantined: view.getUint32(48, true),
    confirmed: new Int32Array(bytes.buffer, HEADER_BYTES, confirmed),
    refused: new Int32Array(bytes.buffer, HEADER_BYTES + 4 * confirmed, refused),
    rows: new Int32Array(bytes.buffer, HEADER_BYTES + 4 * (confirmed + refused), rows),
  };
}

/** What is left in the place of a record that is in quarantine. */
export function remainderOf({ at, batchId, received }: JournalRecord): JournalRecord {
  return { ...EMPTY_RECORD, at, batchId, received, quarantined: received };
}

/** What an undamaged record says that it should not; `before`: the last batch before it. */
export function wrongIn(
  { batchId, received, rows, quarantined }: JournalRecord,
  before: number,
): string | undefined {
  if (batchId > 0 && batchId <= before) return `carries batch ${batchId}, after batch ${before}`;
  const count = rows.length / WORDS_PER_ROW;
  if (received < count + quarantined) return `stands for ${received} rows, and holds ${count}`;
  return undefined;
}

/** Rows in one piece of a snapshot: few enough to encode without holding up the event loop. */
export const ROWS_PER_PIECE = 2000;

/** Bytes of the largest piece. */
export const PIECE_BYTES = HEADER_BYTES + ROWS_PER_PIECE * WORDS_PER_ROW * 4;

/** Packed rows as the bytes of a snapshot piece: a record that carries nothing else. In `scratch` as `encodeRecord`. */
export function encodePiece(rows: Int32Array, scratch?: ArrayBuffer): Uint8Array {
  return encodeRecord({ ...EMPTY_RECORD, rows }, scratch);
}

/** How many bytes `encodePiece` gives. */
export function pieceBytes(rows: Int32Array): number {
  return HEADER_BYTES + 4 * rows.length;
}

/** Throws ReporterError JOURNAL_CORRUPT. */
export function decodePiece(bytes: Uint8Array): Int32Array {
  return decodeRecord(bytes).rows;
}

function corrupt(what: string): ReporterError {
  return new ReporterError('JOURNAL_CORRUPT', `a journal record ${what}`);
}
