import type { JournalEntry } from '../../src/journal/record.js';
import { WORDS_PER_KEY } from '../../src/model/row.js';
import { pack } from '../model/samples.js';
import { entryOf } from './replay.js';

const KEYS = 40;
const rowsOf = (sequence: number) => [sequence % KEYS, (sequence * 7 + 1) % KEYS];
const confirmedOf = (sequence: number) => (sequence * 3) % KEYS;

/** Record number `sequence` of a journal all of whose records are known: it confirms a key and sets two others. */
export function numbered(sequence: number): JournalEntry {
  return entryOf(sequence, pack(...rowsOf(sequence).map((modid) => ({ modid, succ: sequence }))), {
    confirmed: pack({ modid: confirmedOf(sequence) }).subarray(0, WORDS_PER_KEY),
  });
}

/** What records 1 … `last` come to: value by key. */
export function afterNumbered(last: number): Map<number, number> {
  const table = new Map<number, number>();
  for (let sequence = 1; sequence <= last; sequence++) {
    table.delete(confirmedOf(sequence));
    for (const modid of rowsOf(sequence)) table.set(modid, sequence);
  }
  return table;
}
