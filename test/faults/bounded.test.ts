import test from 'ava';
import { type Report, startReporter } from '../../src/index.js';
import { FaultyStore, numberedReport, OrderChecker, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const SERVICES = 50;
const HOSTS = 20;

test('with the store away, backlog and journal grow with the number of keys and not with the number of reports', async (t) => {
  const order = new OrderChecker();
  const store = new FaultyStore();
  store.fail();
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      writers: { count: 2 },
      journal: { dir: `${tempDir(t)}/journal`, snapshotBytes: 200_000 },
    },
    { store: order.watch(store) },
  );
  t.teardown(() => reporter.stop());
  let round = 0;
  const report = async (rounds: number) => {
    let mostJournalBytes = 0;
    for (let end = round + rounds; round < end; ) {
      round++;
      const reports: Report[] = Array.from({ length: SERVICES }, (_, service) =>
        numberedReport(service, 1, HOSTS, round),
      );
      for (const report of reports) order.sent(report);
      await reporter.report(...reports);
      const bytes = reporter.status().writers.reduce((sum, writer) => sum + writer.journalBytes, 0);
      mostJournalBytes = Math.max(mostJournalBytes, bytes);
    }
    return mostJournalBytes;
  };
  const early = await report(40);
  const late = await report(200);
  t.true(late <= early * 1.1, `the journal held up to ${early} bytes early and ${late} later`);
  t.is(reporter.ledger().pending, SERVICES * HOSTS);
  t.is(reporter.ledger().received, 240 * SERVICES * HOSTS);
  store.heal();
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the backlog to be stored' });
  t.is(order.keys, SERVICES * HOSTS);
  t.notThrows(() => order.verify());
});

test('arrival decides, not the clocks of agents: ts may go backwards, and beyond 2038 and into 2106', async (t) => {
  const order = new OrderChecker();
  const store = new FaultyStore();
  const reporter = await startReporter(
    { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir: `${tempDir(t)}/journal` } },
    { store: order.watch(store) },
  );
  t.teardown(() => reporter.stop());
  const clocks = [2_000_000_000, 1_000_000_000, 0xffffffff, 0, 0x80000000, 5];
  for (const [index, ts] of clocks.entries()) {
    const report = { ...numberedReport(1, 1, 2, index + 1), ts };
    order.sent(report);
    await reporter.report(report);
    await until(() => [...store.rows.values()].every((row) => row.ts === ts) && store.rows.size === 2, {
      ...BOUND,
      what: `rows with ts ${ts}`,
    });
  }
  t.notThrows(() => order.verify());
  t.is(store.rows.size, 2);
});
