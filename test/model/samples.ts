import fc, { type Arbitrary } from 'fast-check';
import type { Report } from '../../src/model/report.js';
import { type Row, RowBatch, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';

/** Any int32, the edges often. */
export const int32: Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -0x80000000, max: 0x7fffffff }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 127, 128, 0x7fffffff, -0x80000000, -1_062_731_775) },
);

/** Any uint32, the edges often. */
export const uint32: Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 0xffffffff }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff) },
);

const counter = fc.integer({ min: 0, max: 0x7fffffff });

/** Any row a table can hold. */
export const anyRow: Arbitrary<Row> = fc.record({
  modid: int32,
  cmdid: int32,
  ip: int32,
  port: int32,
  caller: int32,
  succ: counter,
  err: counter,
  ts: uint32,
  overload: fc.boolean(),
});

/** Any report, with counters of any size. */
export const anyReport: Arbitrary<Report> = fc.record({
  modid: int32,
  cmdid: int32,
  caller: int32,
  ts: uint32,
  results: fc.array(
    fc.record({
      ip: int32,
      port: int32,
      succ: fc.oneof(uint32, fc.nat(300)),
      err: fc.oneof(uint32, fc.nat(300)),
      overload: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
});

const PLAIN: Row = {
  modid: 1,
  cmdid: 2,
  ip: 3,
  port: 4,
  caller: 5,
  succ: 0,
  err: 0,
  ts: 0,
  overload: false,
};

/** A row in which only the named fields matter. */
export function rowOf(fields: Partial<Row>): Row {
  return { ...PLAIN, ...fields };
}

/** Packed words of rows given as objects. */
export function pack(...rows: readonly Partial<Row>[]): Int32Array {
  return RowBatch.from(rows.map(rowOf)).words;
}

/** The key of a packed row, as text. */
export function keyOf(words: Int32Array, at = 0): string {
  return words.subarray(at, at + WORDS_PER_KEY).join(' ');
}

/** Key and value of packed rows as text, the time since they wait left out: for comparing maps. */
export function contentOf(words: Int32Array): Map<string, string> {
  const content = new Map<string, string>();
  for (let at = 0; at < words.length; at += WORDS_PER_ROW) {
    content.set(keyOf(words, at), words.subarray(at + WORDS_PER_KEY, at + WORDS_PER_ROW - 1).join(' '));
  }
  return content;
}

/** A seeded source of numbers in 0 … bound-1, for drivers that need many of them. */
export function randomOf(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    // xorshift32 over a Weyl sequence.
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % bound;
  };
}
