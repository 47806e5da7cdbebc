import test from 'ava';
import fc from 'fast-check';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { RowBufferPool } from '../../src/model/row-buffer.js';
import { Merge } from '../../src/routing/merge.js';
import { contentOf, pack } from '../model/samples.js';

const poolOf = (maxSpareRows = 1000) => new RowBufferPool({ initialRows: 1, maxSpares: 3, maxSpareRows });
const row = (host: number, succ: number) => ({ ip: host, succ });

type Given = readonly [host: number, succ: number];

function put(merge: Merge, given: readonly Given[]): void {
  // Between other words, which are none of its business, and in memory that is written over afterwards.
  const words = pack(row(-1, -1), ...given.map(([host, succ]) => row(host, succ)), row(-1, -1));
  merge.put(words, WORDS_PER_ROW, words.length - WORDS_PER_ROW);
  words.fill(-1);
}

const contentsOf = (rows: Int32Array): string[] => {
  const contents: string[] = [];
  for (let at = 0; at < rows.length; at += WORDS_PER_ROW)
    for (const [key, value] of contentOf(rows.subarray(at, at + WORDS_PER_ROW)))
      contents.push(`${key}=${value}`);
  return contents;
};

/** What is to come of `given` when it is merged, and when it is lined up. */
function wantedOf(given: readonly Given[]): { merged: string[]; lined: string[] } {
  const newest = new Map(given);
  return {
    merged: contentsOf(pack(...[...newest].map(([host, succ]) => row(host, succ)))),
    lined: contentsOf(pack(...given.map(([host, succ]) => row(host, succ)))),
  };
}

/** Reports of neighbouring hosts, again and again or never again, in long runs and one by one. */
const reports = fc.oneof(
  fc
    .tuple(fc.nat(40), fc.integer({ min: 1, max: 40 }), fc.nat(1000))
    .map(([first, hosts, succ]) =>
      Array.from({ length: hosts }, (_, host): Given => [first + host, succ + host]),
    ),
  fc
    .tuple(fc.nat(1_000_000), fc.integer({ min: 250, max: 300 }))
    .map(([first, hosts]) => Array.from({ length: hosts }, (_, host): Given => [first + host, host])),
  fc.array(fc.tuple(fc.nat(60), fc.nat(1000)), { maxLength: 20 }),
);
const steps = fc.array(
  fc.record({ merge: fc.nat(1), reports: fc.array(reports, { maxLength: 3 }), keep: fc.boolean() }),
  { maxLength: 40 },
);

test('all rows come out once, merged or in the order they came, and stay as they are until they are released', (t) => {
  let lined = 0;
  fc.assert(
    fc.property(steps, fc.nat(60), fc.nat(60), (list, maxKnown, maxSpareRows) => {
      const pool = poolOf(maxSpareRows);
      const merges = [new Merge(pool, maxKnown), new Merge(pool, maxKnown)];
      const kept: { content: string[]; buffer: ReturnType<Merge['take']> }[] = [];
      const release = () => {
        for (const { content, buffer } of kept.splice(0)) {
          t.deepEqual(contentsOf(buffer.rows()), content);
          buffer.release();
        }
      };
      for (const step of list) {
        const merge = merges[step.merge]!;
        for (const given of step.reports) put(merge, given);
        const given = step.reports.flat();
        t.is(merge.received, given.length);
        const { rows } = merge;
        const buffer = merge.take();
        const content = contentsOf(buffer.rows());
        t.is(content.length, rows);
        const wanted = wantedOf(given);
        t.deepEqual(content, content.length === wanted.merged.length ? wanted.merged : wanted.lined);
        if (wanted.lined.length > wanted.merged.length && content.length === wanted.lined.length) lined++;
        t.is(merge.rows + merge.received, 0);
        kept.push({ content, buffer });
        if (!step.keep) release();
      }
      release();
    }),
    { numRuns: 300 },
  );
  t.true(lined > 0, 'some were lined up');
});

test('what is reported again and again is merged', (t) => {
  const merge = new Merge(poolOf(), 10_000);
  const hosts = Array.from({ length: 1000 }, (_, host) => host);
  for (let round = 1; round <= 40; round++) {
    put(
      merge,
      hosts.map((host) => [host, round]),
    );
    put(
      merge,
      hosts.map((host) => [host, -round]),
    );
    const buffer = merge.take();
    t.is(buffer.length, hosts.length);
    buffer.release();
  }
});

test('what never comes again is lined up most of the time, and merged when it begins to come again', (t) => {
  const merge = new Merge(poolOf(), 100_000);
  const isLined = (first: number) => {
    const given = Array.from({ length: 300 }, (_, host): Given => [first + host, 1]);
    put(merge, given);
    // The same key in the same gathering: gone when rows are merged, there when they are lined up.
    put(merge, given.slice(0, 1));
    const buffer = merge.take();
    const { length } = buffer;
    buffer.release();
    return length === given.length + 1;
  };
  let lined = 0;
  for (let round = 0; round < 160; round++) if (isLined(round * 1000)) lined++;
  t.true(lined > 140 && lined < 160, `${lined} of 160`);
  for (let round = 0; round < 40; round++) isLined(0);
  for (let round = 0; round < 40; round++) t.false(isLined(0));
});

test('who lines up and has no rows holds no buffer', (t) => {
  const pool = poolOf();
  const merge = new Merge(pool, 1000);
  put(
    merge,
    Array.from({ length: 300 }, (_, host): Given => [host, 1]),
  );
  const buffer = merge.take();
  buffer.release();
  t.is(pool.take(), buffer, 'the only one there was');
  t.is(merge.take().length, 0);
});
