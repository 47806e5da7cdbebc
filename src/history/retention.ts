import { type Change, type Entry, HistoryFile, type TableName } from './history-file.js';
import { idOf, timeOf } from './history-keys.js';
import { decodeIncident, secondOfId } from './kept-records.js';

const DAY_S = 86_400;
const MINUTE_S = 60;

interface Rule {
  readonly table: TableName;
  /** How long it is kept, seconds. */
  readonly keptS: number;
  /** When it is of, epoch seconds. */
  readonly secondOf: (key: Buffer) => number;
  readonly mayGo?: (entry: Entry) => boolean;
  readonly mostEntries?: number;
}

const ofMinute = (key: Buffer) => timeOf(key) * MINUTE_S;
const ofId = (key: Buffer) => secondOfId(idOf(key));
/** One that runs is kept, however long it does. */
const hasEnded = ({ key, value }: Entry) => decodeIncident(idOf(key), value).endedS !== 0;

const RULES: readonly Rule[] = [
  { table: 'minutes', keptS: DAY_S, secondOf: ofMinute },
  { table: 'hosts', keptS: 7 * DAY_S, secondOf: ofMinute },
  { table: 'tens', keptS: 14 * DAY_S, secondOf: ofMinute },
  { table: 'coverage', keptS: 14 * DAY_S, secondOf: ofMinute },
  { table: 'events', keptS: 30 * DAY_S, secondOf: ofId, mostEntries: 1_000_000 },
  { table: 'incidents', keptS: 30 * DAY_S, secondOf: ofId, mayGo: hasEnded, mostEntries: 1_000_000 },
  { table: 'ended', keptS: 30 * DAY_S, secondOf: timeOf, mostEntries: 1_000_000 },
];

/** Keys that go in one pass, at most: some milliseconds. */
const PASS_KEYS = 2_000;
/** What is nearest to its end goes in steps of so many keys while there is too much. */
const STEP_KEYS = 100;
/** Kept free of the bound: the reserve of the file, and what a commit copies. */
const SPARE_BYTES = 6 * 1_048_576;
const SPARE_SHARE = 0.05;

/** Bytes that pages which hold something may have, so that the file stays within `maxBytes`. */
export function budgetOf(maxBytes: number): number {
  return Math.floor(maxBytes * (1 - SPARE_SHARE)) - SPARE_BYTES;
}

/**
 * What is to go now: what is older than it is kept, and, while there is more than the budget, what is nearest to its
 * end. So all get shorter together when there is too little room. A pass is bounded; `isAll`: nothing is left to go.
 */
export function goneAt(
  file: HistoryFile,
  nowS: number,
  maxBytes: number,
): { readonly changes: Change[]; readonly isAll: boolean } {
  const pass = new Pass(file);
  for (const rule of RULES) {
    pass.take(rule, PASS_KEYS, ({ key }) => rule.secondOf(key) < nowS - rule.keptS);
    const excess = file.entries(rule.table) - (rule.mostEntries ?? Number.POSITIVE_INFINITY);
    if (excess > 0) pass.take(rule, excess, () => true);
  }
  let excess = file.usedBytes - budgetOf(maxBytes) - pass.bytes;
  const rules = new Set(RULES);
  while (excess > 0 && !pass.isFull && rules.size > 0) {
    const before = pass.bytes;
    const ages = [...rules].map((rule) => ({ rule, age: pass.ageOf(rule, nowS) }));
    const { rule } = ages.reduce((oldest, one) => (one.age > oldest.age ? one : oldest));
    pass.take(rule, STEP_KEYS, () => true);
    if (pass.bytes === before) rules.delete(rule);
    excess -= pass.bytes - before;
  }
  return { changes: pass.changes, isAll: !pass.isFull && excess <= 0 };
}

class Pass {
  readonly #file: HistoryFile;
  readonly changes: Change[] = [];
  bytes = 0;
  /** Where each table goes on. */
  readonly #next = new Map<TableName, Buffer>();

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  get isFull(): boolean {
    return this.changes.length >= PASS_KEYS;
  }

  take({ table, mayGo = () => true }: Rule, most: number, isToGo: (entry: Entry) => boolean): void {
    let left = Math.min(most, PASS_KEYS - this.changes.length);
    const from = this.#next.get(table);
    for (const entry of this.#file.range(table, { ...(from ? { from } : {}), limit: PASS_KEYS })) {
      // Values are of lmdb's memory until the next read; keys stay.
      const key = Buffer.from(entry.key);
      this.#next.set(table, key);
      if (left === 0 || !isToGo(entry)) return;
      this.#next.set(table, Buffer.concat([key, AFTER]));
      if (!mayGo(entry)) continue;
      left--;
      this.bytes += HistoryFile.bytesOf(entry);
      this.changes.push({ table, key });
    }
  }

  /** Of its oldest entry, as a share of how long it is kept; below 0 when there is none. */
  ageOf({ table, keptS, secondOf }: Rule, nowS: number): number {
    const from = this.#next.get(table);
    for (const { key } of this.#file.range(table, { ...(from ? { from } : {}), limit: 1 }))
      return (nowS - secondOf(key)) / keptS;
    return -1;
  }
}

/** The least key behind another one begins with it. */
const AFTER = Buffer.from([0]);
