import type { Change, HistoryFile, TableName } from './history-file.js';
import { timeKey, timeOf } from './history-keys.js';
import type { Tally } from './kept-records.js';
import { findIn, fromBlock, HOSTS, type Layout, SERVICES, toBlocks } from './tallies.js';

/** Of each table of tallies, how they are packed. */
const LAYOUTS = { minutes: SERVICES, tens: SERVICES, hosts: HOSTS } as const satisfies Partial<
  Record<TableName, Layout>
>;
export type TallyTable = keyof typeof LAYOUTS;

export function layoutOf(table: TallyTable): Layout {
  return LAYOUTS[table];
}

/** All tallies of a minute, in order of their keys. */
export function talliesAt(file: HistoryFile, table: TallyTable, minute: number): Tally[] {
  const found: Tally[] = [];
  for (const { value } of file.range(table, rangeOf(minute))) found.push(...fromBlock(LAYOUTS[table], value));
  return found;
}

/** The tally of one key in a minute; undefined when there is none. */
export function tallyAt(file: HistoryFile, table: TallyTable, minute: number, key: Tally): Tally | undefined {
  const from = timeKey(minute, ...key);
  for (const entry of file.range(table, { from, to: timeKey(minute), isReverse: true, limit: 1 }))
    return timeOf(entry.key) === minute ? findIn(LAYOUTS[table], entry.value, key) : undefined;
  return undefined;
}

/** What is to be changed so that a minute holds these tallies, which are in order, and nothing else. */
export function changesOf(
  file: HistoryFile,
  table: TallyTable,
  minute: number,
  tallies: readonly Tally[],
): Change[] {
  const blocks = toBlocks(LAYOUTS[table], tallies).map(({ first, bytes }) => ({
    table,
    key: timeKey(minute, ...first),
    value: bytes,
  }));
  const kept = new Set(blocks.map(({ key }) => key.toString('latin1')));
  const removed: Change[] = [];
  for (const { key } of file.range(table, rangeOf(minute)))
    if (!kept.has(key.toString('latin1'))) removed.push({ table, key: Buffer.from(key) });
  return [...removed, ...blocks];
}

function rangeOf(minute: number): { readonly from: Buffer; readonly to: Buffer } {
  // Keys with further parts stand behind the minute alone, and before the next one.
  return { from: timeKey(minute), to: timeKey(minute + 1) };
}

/** Seconds of a minute in which the view was live. */
export function coveredAt(file: HistoryFile, minute: number): number {
  return file.get('coverage', timeKey(minute))?.readUInt16BE() ?? 0;
}

/** Of each minute from a first to a last one; 0 where there is none. */
export function coverageOf(file: HistoryFile, first: number, last: number): number[] {
  const covered = new Array<number>(Math.max(0, last - first + 1)).fill(0);
  for (const { key, value } of file.range('coverage', { from: timeKey(first), to: timeKey(last) }))
    covered[timeOf(key) - first] = value.readUInt16BE();
  return covered;
}

export function coverageChange(minute: number, coveredS: number): Change {
  const value = Buffer.allocUnsafeSlow(2);
  value.writeUInt16BE(Math.min(coveredS, 0xffff));
  return { table: 'coverage', key: timeKey(minute), value };
}
