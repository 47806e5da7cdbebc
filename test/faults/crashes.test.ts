import test, { type ExecutionContext } from 'ava';
import { type StepHook, StoreError, startReporter, type WriterStep } from '../../src/index.js';
import { startFleet } from '../support/agents.js';
import { tempDir } from '../support/temp.js';
import { until } from '../support/wait.js';
import { failing, seeded, WatchedStore } from '../support/watched-store.js';

const WRITERS = 3;
const BOUND = { boundMs: 60_000 };
const shape = { agents: 8, services: 12, hosts: 5 };

const config = (dir: string, snapshotBytes = 65_536) => ({
  listen: { host: '127.0.0.1', port: 0 },
  writers: { count: WRITERS, maxBatchRows: 40 },
  journal: { dir, snapshotBytes },
  supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 10_000 },
});

/** Runs a fleet while writers crash as `atStep` says; then everything must have arrived, in order, and balance. */
async function survives(
  t: ExecutionContext,
  store: WatchedStore,
  atStep: StepHook,
  enough: (restarts: readonly number[]) => boolean,
) {
  const dir = tempDir(t);
  const reporter = await startReporter(config(dir), { store, atStep });
  t.teardown(() => reporter.stop());
  const unbalanced: unknown[] = [];
  const sampler = setInterval(() => {
    const ledger = reporter.ledger();
    if (!ledger.balanced) unbalanced.push(ledger);
  }, 1);
  t.teardown(() => clearInterval(sampler));
  const restarts = () => reporter.status().writers.map((writer) => writer.restarts);

  const fleet = await startFleet({ port: reporter.address.port, ...shape });
  await until(() => enough(restarts()) && fleet.rounds >= 5, { ...BOUND, what: 'enough crashes and rounds' });
  const last = await fleet.stop();
  const sent = [...last.values()].reduce((rows, rounds) => rows + rounds * shape.services * shape.hosts, 0);
  await until(() => reporter.ledger().received >= sent && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });

  t.deepEqual(store.violations, []);
  t.is(store.rows.size, shape.agents * shape.services * shape.hosts);
  for (const row of store.rows.values())
    t.is(row.succ, last.get(row.caller)!, 'the last report of each key is stored');
  t.deepEqual(unbalanced, [], 'the ledger balances in every sample');
  t.is(reporter.ledger().received, sent, 'every row is received exactly once');
  clearInterval(sampler);
  await reporter.stop();
  return { dir, last };
}

const steps: WriterStep[] = [
  'before-persist',
  'after-persist',
  'flush',
  'flushed',
  'checkpoint',
  'snapshot',
  'recovery',
];

for (const step of steps) {
  test(`a writer that crashes at "${step}" loses nothing, keeps every key in order, and others go on`, async (t) => {
    const random = seeded(steps.indexOf(step) + 1);
    const store = new WatchedStore();
    store.before = failing(random, 0, () => new StoreError('retry', 'X', 'x'));
    let recoveryCrashes = 0;
    const atStep: StepHook = (at, partition) => {
      // Recovery follows a crash only, so crashes have to be caused for it.
      const wanted = at === step || (step === 'recovery' && at === 'flush');
      if (partition !== 0 || !wanted || random() > 0.3) return;
      // Three in a row on one record would put it into quarantine, which another test is about.
      recoveryCrashes = at === 'recovery' ? recoveryCrashes + 1 : 0;
      if (recoveryCrashes > 2) return;
      throw new Error(`crash at ${at}`);
    };
    const enough = (restarts: readonly number[]) => restarts[0]! >= 5;
    let othersRestarted = false;
    await survives(t, store, atStep, (restarts) => {
      othersRestarted ||= restarts[1]! + restarts[2]! > 0;
      return enough(restarts);
    });
    t.false(othersRestarted, 'a crash is the affair of one writer');
  });
}

test('random crashes of all writers at random steps, with a store that fails and loses confirmations: nothing lost, nothing backwards', async (t) => {
  const random = seeded(20_261_122);
  const store = new WatchedStore();
  const error = () => new StoreError('retry', 'ECONNRESET', 'lost', { maybeApplied: true });
  store.before = failing(random, 0.3, error);
  store.after = failing(random, 0.1, error);
  const atStep: StepHook = (at) => {
    if (random() < (at === 'recovery' ? 0.05 : 0.02)) throw new Error(`crash at ${at}`);
  };
  await survives(t, store, atStep, (restarts) => restarts.every((count) => count >= 3));
});

test('after a crash and a stop, the next start finds exactly what was not stored', async (t) => {
  const store = new WatchedStore();
  const dir = tempDir(t);
  store.before = () => {
    throw new StoreError('retry', 'ECONNREFUSED', 'away');
  };
  const random = seeded(7);
  const first = await startReporter(config(dir), {
    store,
    atStep: (at) => {
      if (at !== 'recovery' && random() < 0.05) throw new Error(`crash at ${at}`);
    },
  });
  const fleet = await startFleet({ port: first.address.port, ...shape });
  await until(() => fleet.rounds >= 5, { ...BOUND, what: 'five rounds' });
  const last = await fleet.stop();
  const keys = shape.agents * shape.services * shape.hosts;
  const sent = [...last.values()].reduce((rows, rounds) => rows + rounds * shape.services * shape.hosts, 0);
  await until(() => first.ledger().received === sent, { ...BOUND, what: 'everything to be journaled' });
  t.is(first.ledger().pending, keys, 'the backlog is bounded by keys');
  await first.stop();

  store.before = () => {};
  const second = await startReporter(config(dir), { store });
  t.teardown(() => second.stop());
  t.is(second.ledger().recovered, keys);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the backlog to drain' });
  t.deepEqual(store.violations, []);
  for (const row of store.rows.values()) t.is(row.succ, last.get(row.caller)!);
  t.true(second.ledger().balanced);
});
