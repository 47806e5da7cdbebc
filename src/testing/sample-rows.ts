import { compareKeys, type Row, RowBatch, WORDS_PER_ROW } from '../model/row.js';
import { keyOf } from './rows.js';

/** A row of small numbers, changed where `change` says so. */
export function row(change: Partial<Row> = {}): Row {
  return {
    modid: 1,
    cmdid: 2,
    ip: 3,
    port: 4,
    caller: 5,
    succ: 6,
    err: 7,
    ts: 8,
    overload: false,
    ...change,
  };
}

/** The rows as writers hand them over: sorted by primary key, of each key the last one. */
export function batch(rows: Iterable<Row>): RowBatch {
  const newest = new Map<string, Row>();
  for (const each of rows) newest.set(keyOf(each), each);
  return RowBatch.from(sorted(newest.values()));
}

/** Sorted by primary key, every column as int32. */
export function sorted(rows: Iterable<Row>): Row[] {
  const packed = (each: Row) => RowBatch.from([each]).words;
  return [...rows].sort((a, b) => compareKeys(packed(a), 0, packed(b), 0));
}

/** `count` packed rows of one service whose ts is `ts`. */
export function service(modid: number, count: number, ts: number): RowBatch {
  const words = new Int32Array(count * WORDS_PER_ROW);
  for (let index = 0; index < count; index++)
    words.set([modid, 1, index, 80, 1, 1, 1, ts, 0, 0], index * WORDS_PER_ROW);
  return new RowBatch(words);
}
