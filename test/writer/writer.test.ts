import test, { type ExecutionContext } from 'ava';
import { type ReporterOptions, startReporter } from '../../src/index.js';
import { partitionOf } from '../../src/partition/hash.js';
import { FaultyStore, numberedReport, OrderChecker, until, WriterCrashes } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const HOSTS = 10;

/** For each of two partitions the first service of `numberedReport` that falls on it. */
const SERVICE_OF = [0, 1].map((partition) =>
  Array.from({ length: 100 }, (_, service) => service).find((service) => {
    const { modid, cmdid } = numberedReport(service, 1, 0, 1);
    return partitionOf(modid, cmdid, 2) === partition;
  }),
);

function setUp(t: ExecutionContext) {
  const dir = `${tempDir(t)}/journal`;
  const order = new OrderChecker();
  const store = new FaultyStore({ hangMs: 60_000 });
  const start = async (options: ReporterOptions = {}) => {
    const reporter = await startReporter(
      {
        listen: { host: '127.0.0.1', port: 0 },
        admin: { port: 0 },
        writers: { count: 2 },
        journal: { dir, snapshotBytes: 1024 },
        supervision: { backoffMs: 1, maxBackoffMs: 5 },
      },
      { store: order.watch(store), ...options },
    );
    t.teardown(() => reporter.stop());
    t.teardown(() => store.heal());
    /** Resolves when the rows of all callers are on disk, in one record. */
    const take = async (partition: number, round: number, callers: readonly number[] = [1]) => {
      const reports = callers.map((caller) => numberedReport(SERVICE_OF[partition]!, caller, HOSTS, round));
      for (const report of reports) order.sent(report);
      await reporter.report(...reports);
    };
    const allStored = () =>
      until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
    return { reporter, take, allStored };
  };
  return { order, store, start };
}

test('a row counts as stored when the store has confirmed it, and not before', async (t) => {
  const { order, store, start } = setUp(t);
  const { reporter, take, allStored } = await start();
  store.hang({ times: 1 });
  await take(0, 1);
  await until(() => store.hanging === 1, { ...BOUND, what: 'a statement on its way' });
  // Each of these is journaled with all that counts as stored by then.
  for (let round = 2; round <= 20; round++) await take(0, round, [2]);
  t.is(reporter.ledger().upserted, 0);
  t.is(reporter.ledger().pending, 2 * HOSTS);
  store.release('give-up');
  await allStored();
  t.is(store.rows.size, 2 * HOSTS);
  t.notThrows(() => order.verify());
});

test('a writer that crashes while a statement is on its way sends no other before that has ended', async (t) => {
  const { order, store, start } = setUp(t);
  const crashes = new WriterCrashes();
  const { reporter, take, allStored } = await start({ atStep: crashes.atStep });
  let statements = 0;
  store.before = (_rows, { partition }) => {
    if (partition === 0) statements++;
  };
  store.hang({ partition: 0, times: 1 });
  await take(0, 1);
  await until(() => store.hanging === 1, { ...BOUND, what: 'a statement on its way' });
  crashes.at('before-persist', { partition: 0 });
  const newer = take(0, 2);
  await until(() => crashes.count === 1, { ...BOUND, what: 'the crash' });
  // The other writer goes on meanwhile, for longer than a restart takes.
  for (let round = 1; round <= 100; round++) await take(1, round);
  t.is(statements, 1);
  store.release('go-on');
  await newer;
  await allStored();
  t.is(reporter.status().writers[0]!.restarts, 1);
  t.true(reporter.ledger().balanced);
  t.notThrows(() => order.verify());
});

test('what comes while a snapshot is taken, and right after it, is found by the next start', async (t) => {
  const { order, store, start } = setUp(t);
  store.fail();
  const first = await start();
  const bytes = () => first.reporter.status().writers[0]!.journalBytes;
  // Each record has rows of a caller of its own, beside those of some who report again and again: before long, the
  // records take so much more than what is pending that a snapshot is due.
  const known = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  let round = 0;
  const take = () => first.take(0, ++round, [...known, 100 + round]);
  for (let before = 0; bytes() >= before; ) {
    before = bytes();
    await take();
    if (round > 200) throw new Error('no snapshot is taken');
  }
  await take();
  const rows = (known.length + round) * HOSTS;
  t.is(first.reporter.ledger().pending, rows);
  await first.reporter.stop();
  store.heal();
  const second = await start();
  t.is(second.reporter.ledger().recovered, rows);
  await second.allStored();
  t.is(store.rows.size, rows);
  t.notThrows(() => order.verify());
});
