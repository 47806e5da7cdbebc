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

/** What an entry does to dead letters. */
export interface Settling {
  readonly at: number;
  /** Rows that become dead letters. */
  readonly refusals: readonly Refusal[];
  /** Packed keys whose dead letters go before that. */
  readonly released: readonly Int32Array[];
}

/** As it is stored: rows with the numbers of their peers' addresses in the list beside it. */
interface StoredSettling {
  readonly at: number;
  readonly refused: readonly (readonly [words: readonly number[], code: string, message: string])[];
  readonly released: readonly (readonly number[])[];
}

/**
 * What an entry does to dead letters: those go whose keys it releases, or confirms. A refused value whose key the same
 * record confirms becomes none.
 */
export function settlingOf(
  { record, refusals, released = [] }: JournalEntry,
  hasLetter: (words: Int32Array, at: number) => boolean,
): Settling {
  const { at, confirmed } = record;
  const gone = released.filter((key) => hasLetter(key, 0));
  for (let word = 0; word < confirmed.length; word += WORDS_PER_KEY)
    if (hasLetter(confirmed, word)) gone.push(confirmed.subarray(word, word + WORDS_PER_KEY));
  return { at, refusals: refusals.filter(({ words }) => !hasKey(confirmed, words)), released: gone };
}

/** An entry as bytes that carry everything they need. `torn`: what a disk makes of the record, for tests. */
export function encodeEntry(
  record: JournalRecord,
  { at, refusals, released }: Settling,
  peers: LocalPeers,
  torn: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const list = peers.listOf(record.rows, ...refusals.map(({ words }) => words));
  const sections = [torn(encodeRecord(record)), jsonBytes(list)];
  if (refusals.length > 0 || released.length > 0) {
    const refused = refusals.map(({ words, code, message }) => [[...words], code, message] as const);
    const stored: StoredSettling = { at, refused, released: released.map((key) => [...key]) };
    sections.push(jsonBytes(stored));
  }
  return encodeSections(...sections);
}

/** An entry that was read. */
export interface ReadEntry {
  readonly settling: Settling | undefined;
  /** Its record, with the numbers of this process. Throws ReporterError JOURNAL_CORRUPT. */
  record(): JournalRecord;
}

/** Throws ReporterError JOURNAL_CORRUPT when nothing of it can be read. */
export function decodeEntry(bytes: Uint8Array, peers: LocalPeers): ReadEntry {
  const [stored, listed, settled] = decodeSections(bytes);
  if (!stored || !listed) throw new ReporterError('JOURNAL_CORRUPT', 'a journal entry has no record');
  const list = jsonOf<PeerList>(listed);
  return {
    settling: settled && settlingIn(jsonOf<StoredSettling>(settled), list, peers),
    record: () => {
      const record = decodeRecord(stored);
      peers.renumber(record.rows, list);
      return record;
    },
  };
}

function settlingIn({ at, refused, released }: StoredSettling, list: PeerList, peers: LocalPeers): Settling {
  const refusals = refused.map(([numbers, code, message]) => {
    const words = Int32Array.from(numbers);
    peers.renumber(words, list);
    return { words, code, message };
  });
  return { at, refusals, released: released.map((key) => Int32Array.from(key)) };
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
