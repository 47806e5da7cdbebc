import test from 'ava';
import fc from 'fast-check';
import { seeded } from '../../src/testing/index.js';
import { ENDINGS, type FaultSpec, Schedule, type Wave } from '../../tools/chaos/schedule.js';

const options = fc.record({
  seed: fc.integer(),
  waveMs: fc.integer({ min: 500, max: 20_000 }),
  faultsPerWave: fc.integer({ min: 1, max: 20 }),
  reach: fc.double({ min: 0, max: 1, noNaN: true }),
  groups: fc.array(
    fc.record({
      group: fc.constantFrom('process', 'network', 'disk', 'input'),
      shortestMs: fc.integer({ min: 1, max: 400 }),
      moreMs: fc.integer({ min: 0, max: 4000 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

type Options = typeof options extends fc.Arbitrary<infer Value> ? Value : never;

function specsOf({ groups }: Options): FaultSpec[] {
  return groups.map(({ group, shortestMs, moreMs }, index) => ({
    ...{ name: `fault ${index}`, group, shortestMs },
    longestMs: shortestMs + moreMs,
  }));
}

function plan(chosen: Options, waves: number): Wave[] {
  const { seed, waveMs, faultsPerWave, reach } = chosen;
  const schedule = new Schedule({
    ...{ random: seeded(seed), specs: specsOf(chosen), waveMs, faultsPerWave, reach, writers: [1, 2, 4, 7] },
  });
  return Array.from({ length: waves }, () => schedule.next());
}

const check = (property: fc.IPropertyWithHooks<[Options]>) => fc.assert(property, { numRuns: 300 });

test('the same seed gives the same plan, and another one another', (t) => {
  check(fc.property(options, (chosen) => t.deepEqual(plan(chosen, 4), plan(chosen, 4))));
  const some = { seed: 1, waveMs: 5000, faultsPerWave: 5, reach: 1, groups: [] };
  const groups = [{ group: 'disk' as const, shortestMs: 100, moreMs: 1000 }];
  t.notDeepEqual(plan({ ...some, groups }, 2), plan({ ...some, groups, seed: 2 }, 2));
});

test('each fault lasts as long as its kind does, and is over with its wave', (t) => {
  check(
    fc.property(options, (chosen) => {
      const specs = new Map(specsOf(chosen).map((spec) => [spec.name, spec]));
      for (const { faults } of plan(chosen, 3))
        for (const { name, beginMs, endMs } of faults) {
          const { shortestMs, longestMs } = specs.get(name)!;
          t.true(beginMs >= 0 && endMs <= chosen.waveMs);
          // Whole milliseconds, and none beyond the wave.
          t.true(endMs - beginMs >= Math.min(shortestMs, chosen.waveMs) - 1);
          t.true(endMs - beginMs <= longestMs + 2);
        }
    }),
  );
});

test('faults of one group are never in force at the same time', (t) => {
  check(
    fc.property(options, (chosen) => {
      for (const { faults } of plan(chosen, 3))
        for (const one of faults)
          for (const other of faults)
            if (one !== other && one.group === other.group)
              t.true(one.endMs <= other.beginMs || other.endMs <= one.beginMs);
    }),
  );
});

test('faults of different groups do overlap', (t) => {
  const groups = (['process', 'network', 'disk'] as const).map((group) => ({
    ...{ group, shortestMs: 400, moreMs: 2000 },
  }));
  const waves = plan({ seed: 3, waveMs: 5000, faultsPerWave: 6, reach: 1, groups }, 10);
  const overlapping = waves.filter(({ faults }) =>
    faults.some((one) =>
      faults.some((other) => one !== other && one.beginMs < other.endMs && other.beginMs < one.endMs),
    ),
  );
  t.true(overlapping.length >= 8);
});

test('every kind of fault and every ending comes before long', (t) => {
  check(
    fc.property(options, (chosen) => {
      const specs = specsOf(chosen);
      // Where there is room for all.
      const roomy = { ...chosen, waveMs: 20_000, faultsPerWave: 2 };
      const waves = plan(roomy, Math.max(specs.length, ENDINGS.length));
      const names = new Set(waves.flatMap(({ faults }) => faults.map(({ name }) => name)));
      t.is(names.size, specs.length);
      t.is(new Set(waves.map(({ ending }) => ending)).size, ENDINGS.length);
    }),
  );
});
