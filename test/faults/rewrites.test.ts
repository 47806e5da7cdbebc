import test, { type ExecutionContext } from 'ava';
import { startReporter } from '../../src/index.js';
import { MemoryStore, until, WriterCrashes } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
/** Nothing that a test sees can have waited for it. */
const LONGEST_MS = 60_000;

async function startSite(t: ExecutionContext, rewriteMs: number) {
  const store = new MemoryStore();
  const crashes = new WriterCrashes();
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      writers: { count: 1, rewriteMs },
      journal: { dir: `${tempDir(t)}/journal` },
      view: { enabled: false },
    },
    { store, atStep: crashes.atStep },
  );
  t.teardown(() => reporter.stop());
  const report = (host: number, succ: number, overload = false) =>
    reporter.report({
      ...{ modid: 1, cmdid: 1, caller: 1, ts: 1 },
      results: [{ ip: host, port: 1, succ, err: 0, overload }],
    });
  const stored = (host: number) => [...store.rows.values()].find(({ ip }) => ip === host)?.succ;
  const isStored = (host: number, succ: number) =>
    until(() => stored(host) === succ, { ...BOUND, what: `value ${succ} of host ${host}` });
  return { reporter, crashes, report, stored, isStored };
}

test('a key that was just stored is not stored again; a new key, a change of overload and a drain do not wait for it', async (t) => {
  const { reporter, report, stored, isStored } = await startSite(t, LONGEST_MS);
  await report(1, 10);
  await isStored(1, 10);
  await report(1, 11);
  await report(1, 12);
  await report(2, 20);
  await isStored(2, 20);
  t.is(stored(1), 10);
  t.is(reporter.ledger().pending > 0, true);
  t.true(reporter.status().writers[0]!.oldestPendingSeconds < 20);
  await report(1, 13, true);
  await isStored(1, 13);
  await report(1, 14, true);
  await report(2, 21);
  const outcome = await reporter.drain();
  t.true(outcome.drained);
  t.deepEqual([stored(1), stored(2)], [14, 21]);
  t.deepEqual(reporter.ledger().balanced, true);
  t.is(reporter.ledger().pending, 0);
});

test('the newest value of a key that rests is stored when its rest is over, and not before', async (t) => {
  const rewriteMs = 600;
  const { reporter, report, isStored } = await startSite(t, rewriteMs);
  const beganMs = performance.now();
  await report(1, 1);
  await isStored(1, 1);
  await report(1, 2);
  await report(1, 3);
  await isStored(1, 3);
  t.true(performance.now() - beganMs >= rewriteMs);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'it to be settled' });
  await until(() => reporter.status().writers[0]!.remembered === 0, { ...BOUND, what: 'it to be forgotten' });
  t.is(reporter.ledger().coalesced, 1);
});

test('after a crash of the writer no key rests: what waited is stored, the newest value of each', async (t) => {
  const { reporter, crashes, report, isStored } = await startSite(t, LONGEST_MS);
  await report(1, 1);
  await isStored(1, 1);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the checkpoint' });
  await report(1, 2);
  crashes.at('after-persist');
  await report(1, 3);
  await isStored(1, 3);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be settled' });
  t.is(crashes.count, 1);
  t.true(reporter.ledger().balanced);
});
