import { ReporterError } from '../../model/errors.js';
import { compareKeys, WORDS_PER_KEY } from '../../model/row.js';
import {
  decodeRecord,
  encodeRecord,
  type JournalEntry,
  type JournalRecord,
  type Refusal,
} from '../record.js';
import type { LocalPeers, PeerList } from './local-peers.js';
import { decodeSections, encodeSections, jsonBytes, jsonOf } from './sections.js';

/** What an entry does to dead letters, beside what its record confirms. */
export interface Settling {
  /** Rows that become dead letters. */
  readonly refusals: readonly Refusal[];
  /** Packed keys whose dead letters go. */
  readonly released: readonly Int32Array[];
}

/** As it is stored: rows with the numbers of their peers' addresses in `peers`. */
interface StoredSettling {
  readonly refused: readonly (readonly [words: readonly number[], code: string, message: string])[];
  readonly released: readonly (readonly number[])[];
}

/** What an entry does to dead letters. A value whose key the same record confirms becomes none. */
export function settlingOf({ record, refusals, released = [] }: JournalEntry): Settling {
  return { refusals: refusals.filter(({ words }) => !hasKey(record.confirmed, words)), released };
}

/** An entry as bytes that carry everything they need. */
export function encodeEntry(record: JournalRecord, settling: Settling, peers: LocalPeers): Uint8Array {
  const { refusals, released } = settling;
  const list = peers.listOf(record.rows, ...refusals.map(({ words }) => words));
  const sections = [encodeRecord(record), jsonBytes(list)];
  if (refusals.length > 0 || released.length > 0) {
    const refused = refusals.map(({ words, code, message }) => [[...words], code, message] as const);
    const stored: StoredSettling = { refused, released: released.map((key) => [...key]) };
    sections.push(jsonBytes(stored));
  }
  return encodeSections(...sections);
}

/** Throws ReporterError JOURNAL_CORRUPT. */
export function decodeEntry(
  bytes: Uint8Array,
  peers: LocalPeers,
): { record: JournalRecord; settling: Settling } {
  const [stored, list, settling] = decodeSections(bytes);
  if (!stored || !list) throw new ReporterError('JOURNAL_CORRUPT', 'a journal entry has no record');
  const record = decodeRecord(stored);
  const given = jsonOf<PeerList>(list);
  peers.renumber(record.rows, given);
  const { refused, released } = settling ? jsonOf<StoredSettling>(settling) : { refused: [], released: [] };
  const refusals = refused.map(([numbers, code, message]) => {
    const words = Int32Array.from(numbers);
    peers.renumber(words, given);
    return { words, code, message };
  });
  return { record, settling: { refusals, released: released.map((key) => Int32Array.from(key)) } };
}

/** Packed keys whose dead letters go. */
export const encodeRelease = (keys: readonly Int32Array[]) =>
  encodeSections(jsonBytes(keys.map((key) => [...key])));

/** Throws ReporterError JOURNAL_CORRUPT. */
export function decodeRelease(bytes: Uint8Array): Int32Array[] {
  const [keys] = decodeSections(bytes);
  return jsonOf<number[][]>(keys!).map((key) => Int32Array.from(key));
}

/** Whether the packed `keys` name the key of the packed row `row`: then the store has a newer value of it. */
function hasKey(keys: Int32Array, row: Int32Array): boolean {
  for (let at = 0; at < keys.length; at += WORDS_PER_KEY)
    if (compareKeys(keys, at, row, 0) === 0) return true;
  return false;
}
