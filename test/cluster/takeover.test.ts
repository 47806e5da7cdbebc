import test from 'ava';
import { Dice } from '../../src/testing/dice.js';
import { CALM, type Fault, type Plan, planOf } from '../../tools/schedules/plan.js';
import { World } from '../../tools/schedules/world.js';

const SEEDS = 100;
const STRUCK_MS = 5000;
const TAKEN_OVER_WITHIN_MS = 5000;

/** Nothing goes wrong but this. Clocks differ, and so does what a seed decides besides. */
function runWith(seed: number, fault: Fault): World {
  const dice = new Dice(seed);
  const plan: Plan = {
    ...planOf(dice),
    ...{ nodes: 3, partitions: 1, rates: CALM, faults: [{ atMs: STRUCK_MS, fault }], calmAtMs: 14_000 },
    clocks: Array.from({ length: 4 }, () => ({
      rate: dice.between(95, 105) / 100,
      offsetMs: dice.below(1e6),
    })),
    twin: { node: 0 },
  };
  const world = new World(plan, dice);
  world.run();
  return world;
}

test('a partition is written again within 5 s when its owner is gone', (t) => {
  let longestMs = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const [log] = runWith(seed, { kind: 'pause', of: { ownerOf: 0 }, forMs: 9000 }).parts.logs;
    const before = log!.history.findLast(({ atMs }) => atMs <= STRUCK_MS)!;
    const again = log!.history.find(({ entry }) => entry.epoch > before.entry.epoch && entry.batch);
    const tookMs = (again?.atMs ?? Number.POSITIVE_INFINITY) - STRUCK_MS;
    longestMs = Math.max(longestMs, tookMs);
    t.true(tookMs <= TAKEN_OVER_WITHIN_MS, `seed ${seed}: ${tookMs} ms`);
  }
  t.log(`${longestMs} ms at most, of ${SEEDS} seeds`);
});

test('an outage of the leases, or of writing them, takes no partition from its owner', (t) => {
  for (let seed = 1; seed <= SEEDS; seed++)
    for (const kind of ['outage', 'unwritable'] as const) {
      const { happened } = runWith(seed, { kind, forMs: 7000 });
      t.is(happened.epochs, 1, `seed ${seed}, ${kind}`);
    }
});
