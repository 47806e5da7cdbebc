import test, { type ExecutionContext } from 'ava';
import { startReporter, type WriterStep } from '../../src/index.js';
import {
  FaultyStore,
  isNumbered,
  LedgerChecker,
  MemoryStore,
  OrderChecker,
  startFleet,
  until,
  WRITER_STEPS,
  WriterCrashes,
} from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const WRITERS = 3;
const BOUND = { boundMs: 60_000 };
const shape = { agents: 8, services: 12, hosts: 5 };
const KEYS = shape.agents * shape.services * shape.hosts;

const config = (dir: string, snapshotBytes = 65_536) => ({
  listen: { host: '127.0.0.1', port: 0 },
  admin: { port: 0 },
  writers: { count: WRITERS, maxBatchRows: 40 },
  journal: { dir, snapshotBytes },
  supervision: { backoffMs: 1, maxBackoffMs: 20, maxRestarts: 10_000 },
});

/** A store every statement of which is watched twice: as the writers ask for it, and as it takes effect. */
function watchedStore() {
  const order = new OrderChecker({ numbered: isNumbered });
  const faults = new FaultyStore({ inner: order.watch(new MemoryStore()) });
  return { order, faults, store: order.watch(faults) };
}

/** Runs a fleet while writers crash; then everything must have arrived, in order, and balance. */
async function survives(
  t: ExecutionContext,
  { order, store }: ReturnType<typeof watchedStore>,
  crashes: WriterCrashes,
  enough: (restarts: readonly number[]) => boolean,
) {
  const reporter = await startReporter(config(tempDir(t)), { store, atStep: crashes.atStep });
  t.teardown(() => reporter.stop());
  const ledgers = new LedgerChecker(() => reporter.ledger(), 1);
  t.teardown(() => ledgers.stop());
  const restarts = () => reporter.status().writers.map((writer) => writer.restarts);

  const fleet = await startFleet({ port: reporter.address.port, ...shape, order });
  await until(() => enough(restarts()) && fleet.rounds >= 5, { ...BOUND, what: 'enough crashes and rounds' });
  const last = await fleet.stop();
  const sent = [...last.values()].reduce((rows, rounds) => rows + rounds * shape.services * shape.hosts, 0);
  await until(() => reporter.ledger().received >= sent && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });

  t.is(order.keys, KEYS);
  t.notThrows(() => order.verify());
  t.is(reporter.ledger().received, sent, 'every row is received exactly once');
  await ledgers.stop();
  t.notThrows(() => ledgers.verify());
}

/** Where each kind of crash is caused. Recovery follows a crash only, so crashes have to be caused for it. */
const stepsFor = (step: WriterStep): WriterStep[] => (step === 'recovery' ? ['recovery', 'flush'] : [step]);

for (const [index, step] of WRITER_STEPS.entries()) {
  test(`a writer that crashes at "${step}" loses nothing, keeps every key in order, and others go on`, async (t) => {
    const site = watchedStore();
    site.faults.atRandom({ seed: index + 1, slowMs: 3 });
    const crashes = new WriterCrashes();
    crashes.atRandom({ seed: index + 1, share: 0.3, steps: stepsFor(step), partition: 0 });
    let othersRestarted = false;
    await survives(t, site, crashes, (restarts) => {
      othersRestarted ||= restarts[1]! + restarts[2]! > 0;
      return restarts[0]! >= 5 && crashes.countAt(step) > 0;
    });
    t.false(othersRestarted, 'a crash is the affair of one writer');
  });
}

test('random crashes of all writers at random steps, with a store that fails and loses confirmations: nothing lost, nothing backwards', async (t) => {
  const site = watchedStore();
  site.faults.atRandom({ seed: 20_261_122, fail: 0.3, lose: 0.1, slowMs: 3 });
  const crashes = new WriterCrashes();
  crashes.atRandom({ seed: 1, share: 0.02, steps: WRITER_STEPS.filter((step) => step !== 'recovery') });
  crashes.atRandom({ seed: 2, share: 0.05, steps: ['recovery'] });
  await survives(t, site, crashes, (restarts) => restarts.every((count) => count >= 3));
});

test('after a crash and a stop, the next start finds exactly what was not stored', async (t) => {
  const { order, faults, store } = watchedStore();
  const dir = tempDir(t);
  faults.fail();
  const crashes = new WriterCrashes();
  crashes.atRandom({ seed: 7, share: 0.05, steps: WRITER_STEPS.filter((step) => step !== 'recovery') });
  const first = await startReporter(config(dir), { store, atStep: crashes.atStep });
  const fleet = await startFleet({ port: first.address.port, ...shape, order });
  await until(() => fleet.rounds >= 5, { ...BOUND, what: 'five rounds' });
  const last = await fleet.stop();
  const sent = [...last.values()].reduce((rows, rounds) => rows + rounds * shape.services * shape.hosts, 0);
  await until(() => first.ledger().received === sent, { ...BOUND, what: 'everything to be journaled' });
  t.is(first.ledger().pending, KEYS, 'the backlog is bounded by keys');
  await first.stop();

  faults.heal();
  const second = await startReporter(config(dir), { store });
  t.teardown(() => second.stop());
  t.is(second.ledger().recovered, KEYS);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the backlog to drain' });
  t.notThrows(() => order.verify());
  t.true(second.ledger().balanced);
});
