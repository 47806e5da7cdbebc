import test from 'ava';
import type { WriterStep } from '../../src/index.js';
import { WRITER_STEPS, WriterCrashes } from '../../src/testing/index.js';

/** Passes the steps one after the other; which of them crash. */
function crashesOf(crashes: WriterCrashes, ...passes: readonly (readonly [WriterStep, number])[]): boolean[] {
  return passes.map(([step, partition]) => {
    try {
      crashes.atStep(step, partition);
      return false;
    } catch {
      return true;
    }
  });
}

const times = (count: number, step: WriterStep, partition = 0) =>
  Array.from({ length: count }, (): readonly [WriterStep, number] => [step, partition]);

test('a writer crashes at the step it is told to, once, and no other does', (t) => {
  const crashes = new WriterCrashes();
  crashes.at('flush', { partition: 1 });
  t.deepEqual(crashesOf(crashes, ['flush', 0], ['flushed', 1], ['flush', 1], ['flush', 1]), [
    false,
    false,
    true,
    false,
  ]);
  t.is(crashes.count, 1);
  t.is(crashes.countAt('flush'), 1);
  t.is(crashes.countAt('flushed'), 0);
});

test('crashes come after so many passes, so many times, each plan counting for itself', (t) => {
  const crashes = new WriterCrashes();
  crashes.at('recovery', { after: 1, times: 2 });
  crashes.at(['recovery', 'flush'], { after: 4 });
  t.deepEqual(crashesOf(crashes, ...times(6, 'recovery')), [false, true, true, false, true, false]);
});

test('crashes end with heal', (t) => {
  const crashes = new WriterCrashes();
  crashes.at('flush', { times: Number.POSITIVE_INFINITY });
  crashes.atRandom({ seed: 1, share: 1 });
  t.true(crashesOf(crashes, ...times(50, 'flush')).every(Boolean));
  crashes.heal();
  t.false(crashesOf(crashes, ...times(50, 'flush')).some(Boolean));
  t.is(crashes.count, 50);
});

test('random crashes come in the share that was asked for, at the steps that were named, and a seed repeats them', (t) => {
  const run = (seed: number) => {
    const crashes = new WriterCrashes();
    crashes.atRandom({ seed, share: 0.2, steps: ['flush', 'checkpoint'], partition: 1 });
    const passes = Array.from({ length: 500 }, () => WRITER_STEPS.map((step) => [step, 1] as const)).flat();
    return { crashes, ends: crashesOf(crashes, ...passes) };
  };
  const { crashes, ends } = run(3);
  t.is(crashes.count, crashes.countAt('flush') + crashes.countAt('checkpoint'));
  t.true(Math.abs(crashes.count / 1000 - 0.2) < 0.05);
  t.deepEqual(run(3).ends, ends);
  t.notDeepEqual(run(4).ends, ends);
  t.false(crashesOf(crashes, ...times(100, 'flush', 0)).some(Boolean));
});

test('a share of recoveries fails as they begin, never three in a row', (t) => {
  const crashes = new WriterCrashes();
  crashes.atRandom({ seed: 5, recoveries: 0.25 });
  let begun = 0;
  let failed = 0;
  let inARow = 0;
  for (let crash = 0; crash < 2000; crash++) {
    // A crash elsewhere, then recoveries of three events each until one comes through.
    crashesOf(crashes, ['flush', 0]);
    for (inARow = 0; ; inARow++) {
      begun++;
      const [first, ...others] = crashesOf(crashes, ...times(3, 'recovery').slice(0, 1));
      t.deepEqual(others, []);
      if (!first) break;
      failed++;
    }
    t.true(inARow <= 2);
    t.deepEqual(crashesOf(crashes, ...times(2, 'recovery')), [false, false]);
  }
  t.true(Math.abs(failed / begun - 0.25) < 0.04, `${failed} of ${begun}`);
});

test('options that are no shares or counts are refused by name', (t) => {
  const crashes = new WriterCrashes();
  t.throws(() => crashes.at('flush', { times: -1 }), { message: 'times is -1: give a number from 0' });
  t.throws(() => crashes.atRandom({ seed: 1, share: 7 }), {
    message: 'share is 7: give a number from 0 to 1',
  });
});
