import test from 'ava';
import fc from 'fast-check';
import { backoffMs } from '../../src/model/backoff.js';
import { startSystem } from '../../src/runtime/actors.js';
import { until } from '../../src/testing/until.js';
import { RestartBudget, type SupervisionLimits } from '../../src/writer/restarts.js';
import { Supervisor } from '../../src/writer/supervisor.js';

const limits = fc
  .record({
    maxRestarts: fc.integer({ min: 1, max: 6 }),
    periodMs: fc.integer({ min: 1, max: 1000 }),
    backoffMs: fc.integer({ min: 1, max: 100 }),
    more: fc.nat(1000),
  })
  .map(({ more, ...rest }): SupervisionLimits => ({ ...rest, maxBackoffMs: rest.backoffMs + more }));

test('within the budget pauses grow with the crashes of the last period; beyond it they are the longest', (t) => {
  fc.assert(
    fc.property(limits, fc.array(fc.nat(400), { maxLength: 40 }), fc.nat(3000), (limit, gaps, later) => {
      const budget = new RestartBudget(limit, () => 0.5);
      const crashes: number[] = [];
      let now = 1_000_000;
      t.false(budget.exhausted(now));
      for (const gap of gaps) {
        now += gap;
        crashes.push(now);
        const pause = budget.crashed(now);
        const recent = crashes.filter((at) => at > now - limit.periodMs).length;
        const growing = backoffMs(
          recent,
          { firstMs: limit.backoffMs, lastMs: limit.maxBackoffMs },
          () => 0.5,
        );
        t.is(pause, recent > limit.maxRestarts ? limit.maxBackoffMs : growing);
        t.true(pause <= limit.maxBackoffMs);
        t.is(budget.exhausted(now), recent > limit.maxRestarts);
      }
      now += later;
      const left = crashes.filter((at) => at > now - limit.periodMs).length;
      t.is(budget.exhausted(now), left > limit.maxRestarts);
      t.false(budget.exhausted(now + limit.periodMs), 'a quiet period makes up for everything');
    }),
  );
});

function supervise(limitsOf: Partial<SupervisionLimits>) {
  const said: string[] = [];
  const supervisor = new Supervisor(startSystem(), {
    writers: 2,
    limits: { maxRestarts: 2, periodMs: 60_000, backoffMs: 1, maxBackoffMs: 2, ...limitsOf },
    events: {
      emit: (event) => {
        if (event.type === 'writer-crashed') {
          const { partition, error, pauseMs, isFailing } = event;
          said.push(
            `${partition} crashed: ${error.message}, ${isFailing ? 'failing' : 'ok'}, ${pauseMs <= 2}`,
          );
        }
        if (event.type === 'writer-recovered' && event.restarts > 0) said.push(`${event.partition} is back`);
      },
    },
  });
  return { supervisor, said };
}

test('a writer is recovering, running, restarting and, beyond its budget, failing; the others do not notice', async (t) => {
  const { supervisor, said } = supervise({});
  t.deepEqual(supervisor.writer(0), { state: 'recovering', restarts: 0, lastCrash: undefined });
  supervisor.recovered(0);
  t.is(supervisor.writer(0).state, 'running');
  for (let crash = 1; crash <= 3; crash++) {
    const restarted = supervisor.crashed(0, new Error(`no ${crash}`));
    t.is(supervisor.writer(0).state, crash <= 2 ? 'restarting' : 'failing');
    t.is(supervisor.writer(0).restarts, crash - 1);
    await restarted;
    t.is(supervisor.writer(0).state, crash <= 2 ? 'recovering' : 'failing');
    supervisor.recovered(0);
    t.deepEqual(supervisor.writer(0), {
      state: crash <= 2 ? 'running' : 'failing',
      restarts: crash,
      lastCrash: `no ${crash}`,
    });
  }
  t.deepEqual(said, [
    '0 crashed: no 1, ok, true',
    '0 is back',
    '0 crashed: no 2, ok, true',
    '0 is back',
    '0 crashed: no 3, failing, true',
    '0 is back',
  ]);
  t.deepEqual(supervisor.writer(1), { state: 'recovering', restarts: 0, lastCrash: undefined });
});

test('a writer that fails is well again after a quiet period', async (t) => {
  const { supervisor } = supervise({ periodMs: 2000 });
  for (let crash = 0; crash < 3; crash++) await supervisor.crashed(1, new Error('crash'));
  t.is(supervisor.writer(1).state, 'failing');
  supervisor.recovered(1);
  await until(() => supervisor.writer(1).state === 'running', {
    boundMs: 60_000,
    what: 'the writer is well',
  });
});

test('stopping ends the pauses that are under way', async (t) => {
  const { supervisor } = supervise({ backoffMs: 3_600_000, maxBackoffMs: 3_600_000 });
  const pauses = [0, 1].map((partition) => supervisor.crashed(partition, new Error('crash')));
  supervisor.stop();
  await Promise.all(pauses);
  await supervisor.crashed(0, new Error('later'));
  t.is(supervisor.writer(0).restarts, 2);
});

test('a writer that never has its state, although no record is in its way, is without hope', async (t) => {
  const { supervisor } = supervise({});
  const crash = (hasPutAside: boolean) => supervisor.crashed(1, new Error('crash'), hasPutAside);
  for (let crashes = 1; crashes <= 30; crashes++) await crash(crashes % 3 === 0);
  t.is(supervisor.hopeless, undefined, 'records are put aside, one after the other');
  for (let crashes = 1; crashes <= 10; crashes++) await crash(false);
  t.is(supervisor.hopeless, 1);
  supervisor.recovered(1);
  for (let crashes = 1; crashes <= 30; crashes++) await crash(false);
  t.is(supervisor.hopeless, undefined, 'one that has run goes on for ever');
});
