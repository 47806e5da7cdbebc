import test from 'ava';
import fc from 'fast-check';
import type { Tally } from '../../src/history/kept-records.js';
import {
  byKey,
  findIn,
  fromBlock,
  HOSTS,
  type Layout,
  mergeAll,
  merged,
  SERVICES,
  toBlocks,
} from '../../src/history/tallies.js';

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });

/** Tallies with values that fit, each key once, in order. */
function tallies(layout: Layout, most = 400): fc.Arbitrary<Tally[]> {
  // Few keys, so that two lists have some in common.
  const word = fc.oneof(fc.integer({ min: -3, max: 3 }), int32);
  const fields = layout.fields.map(({ bytes }) => fc.integer({ min: 0, max: 2 ** (8 * bytes) - 1 }));
  const one = fc.tuple(...Array.from({ length: layout.keyWords }, () => word), ...fields);
  return fc
    .uniqueArray(one, { maxLength: most, selector: (tally) => tally.slice(0, layout.keyWords).join() })
    .map((all) => all.sort(byKey(layout)));
}

for (const [name, layout] of [
  ['services', SERVICES],
  ['hosts', HOSTS],
] as const) {
  test(`tallies of ${name} come out of their blocks as they went in, and each is found by its key`, (t) => {
    fc.assert(
      fc.property(tallies(layout), (all) => {
        const blocks = toBlocks(layout, all);
        t.deepEqual(
          blocks.flatMap(({ bytes }) => fromBlock(layout, bytes)),
          all,
        );
        for (const { first, bytes } of blocks) {
          t.true(bytes.length <= 4_072, 'it lies on one page');
          t.deepEqual(first, fromBlock(layout, bytes)[0]!.slice(0, layout.keyWords));
          for (const tally of fromBlock(layout, bytes)) {
            const key = tally.slice(0, layout.keyWords);
            t.deepEqual(findIn(layout, bytes, key), tally);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test(`minutes of ${name} come to the same in whatever order they are merged, and nothing is lost`, (t) => {
    const few = tallies(layout, 30);
    fc.assert(
      fc.property(few, few, few, (a, b, c) => {
        const merge = (one: readonly Tally[], other: readonly Tally[]) => mergeAll(layout, one, other);
        t.deepEqual(merge(a, b), merge(b, a));
        t.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
        t.deepEqual(merge(a, []), a);
        const keyOf = (tally: Tally) => tally.slice(0, layout.keyWords).join();
        const keys = merge(a, b).map(keyOf);
        t.deepEqual([...keys].sort(), [...new Set([...a, ...b].map(keyOf))].sort());
        t.is(keys.length, new Set(keys).size);
      }),
      { numRuns: 100 },
    );
  });
}

test('calls add up, what is counted at one moment is the most of it, and values that do not fit are saturated', (t) => {
  const one = [1, 2, 100, 10, 5, 1, 20, 3, 0, 2];
  const other = [1, 2, 50, 0, 4, 2, 30, 0, 1, 4];
  t.deepEqual(merged(SERVICES, one, other), [1, 2, 150, 10, 5, 2, 30, 3, 1, 4]);
  const large = [1, 2, 2 ** 32, 0, 70_000, 0, 0, 0, 0, 0];
  const [block] = toBlocks(SERVICES, [large]);
  t.deepEqual(fromBlock(SERVICES, block!.bytes), [[1, 2, 2 ** 32 - 1, 0, 65_535, 0, 0, 0, 0, 0]]);
});
