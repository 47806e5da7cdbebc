import test from 'ava';
import { tell } from '../../src/actors/system.js';
import { type Report, StoreError, startReporter } from '../../src/index.js';
import { numberedReport } from '../support/agents.js';
import { tempDir } from '../support/temp.js';
import { until } from '../support/wait.js';
import { WatchedStore } from '../support/watched-store.js';

const BOUND = { boundMs: 60_000 };
const SERVICES = 50;
const HOSTS = 20;

test('with the store away, backlog and journal grow with the number of keys and not with the number of reports', async (t) => {
  const store = new WatchedStore();
  store.before = () => {
    throw new StoreError('retry', 'ECONNREFUSED', 'away');
  };
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      writers: { count: 2 },
      journal: { dir: `${tempDir(t)}/journal`, snapshotBytes: 200_000 },
    },
    { store },
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
      await new Promise<void>((journaled) => tell(reporter.ref, { reports, journaled }));
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
  store.before = () => {};
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the backlog to be stored' });
  for (const row of store.rows.values()) t.is(row.succ, round);
});

test('arrival decides, not the clocks of agents: ts may go backwards, and beyond 2038 and into 2106', async (t) => {
  const store = new WatchedStore();
  const reporter = await startReporter(
    { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, journal: { dir: `${tempDir(t)}/journal` } },
    { store },
  );
  t.teardown(() => reporter.stop());
  const clocks = [2_000_000_000, 1_000_000_000, 0xffffffff, 0, 0x80000000, 5];
  for (const [index, ts] of clocks.entries()) {
    tell(reporter.ref, { ...numberedReport(1, 1, 2, index + 1), ts });
    await until(() => [...store.rows.values()].every((row) => row.ts === ts) && store.rows.size === 2, {
      ...BOUND,
      what: `rows with ts ${ts}`,
    });
  }
  t.deepEqual(store.violations, []);
  t.is(store.rows.size, 2);
});
