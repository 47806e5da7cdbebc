import test from 'ava';
import fc from 'fast-check';
import { StoreError } from '../../src/model/errors.js';
import type { Report } from '../../src/model/report.js';
import { FaultyStore, MemoryStore, OrderChecker, until, WriterCrashes } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { MAX_KEYS, startSite } from './site.js';

const BOUND = { boundMs: 60_000 };

const hosts = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

test('beyond the bound a batch with new keys waits, unjournaled and unpaid, until the store takes some; then all is stored', async (t) => {
  const store = new FaultyStore();
  const site = startSite(t, { dir: tempDir(t), store });
  store.fail();
  site.send(hosts(0, 15), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  site.send(hosts(100, 15), 1);
  await until(() => site.writer.isFull, { ...BOUND, what: 'the second to wait' });
  site.send(hosts(0, 15), 2);
  t.is(site.writer.ledger().pending, 15);
  t.is(site.journaled(), 1);
  t.true(site.router.waitingRows >= 15);
  store.heal();
  await until(() => site.journaled() === 3 && site.writer.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  // The third batch may have had to wait, too.
  t.true(site.full.every((isFull, index) => isFull === (index % 2 === 0)));
  t.is(site.full.at(-1), false);
  t.is((await rowsOf(store)).length, 30);
});

test('batches that add no key are taken in at the bound', async (t) => {
  const store = new FaultyStore();
  const site = startSite(t, { dir: tempDir(t), store });
  store.fail();
  site.send(hosts(0, MAX_KEYS), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  for (let value = 2; value < 6; value++) {
    site.send(hosts(0, MAX_KEYS), value);
    await until(() => site.journaled() === value, { ...BOUND, what: 'a batch of the same keys' });
  }
  t.false(site.writer.isFull);
});

test('a batch of more keys than the bound is taken in when nothing is pending: nobody waits for ever', async (t) => {
  const store = new FaultyStore();
  const site = startSite(t, { dir: tempDir(t), store });
  store.fail();
  site.send(hosts(0, 5), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  site.send(hosts(100, 3 * MAX_KEYS), 1);
  await until(() => site.writer.isFull, { ...BOUND, what: 'the second to wait' });
  store.heal();
  await until(() => site.journaled() === 2 && site.writer.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.is((await rowsOf(store)).length, 5 + 3 * MAX_KEYS);
});

test('a writer that crashes while a batch waits for room tells that it is full no longer, and again when it is back', async (t) => {
  const store = new FaultyStore();
  const crashes = new WriterCrashes();
  const site = startSite(t, { dir: tempDir(t), store, atStep: crashes.atStep });
  store.fail();
  site.send(hosts(0, 15), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  site.send(hosts(100, 15), 1);
  await until(() => site.writer.isFull, { ...BOUND, what: 'the second to wait' });
  crashes.at('flush');
  await until(() => site.full.length === 3, { ...BOUND, what: 'it to wait again' });
  store.heal();
  await until(() => site.journaled() === 2 && site.writer.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.deepEqual(site.full, [true, false, true, false]);
});

test('a batch of more keys than the bound does not wait for rows that are set aside, since these may wait for long', async (t) => {
  const store = new FaultyStore();
  const site = startSite(t, { dir: tempDir(t), store });
  store.before = (rows) => {
    if ([...rows].some(({ ip }) => ip === 0))
      throw new StoreError('retry', 'ER_LOCK_WAIT_TIMEOUT', 'it is locked', { tooSlow: true });
  };
  site.send(hosts(0, 5), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  site.send(hosts(100, 3 * MAX_KEYS), 1);
  await until(() => site.journaled() === 2 && site.writer.ledger().pending === 1, {
    ...BOUND,
    what: 'all but the locked row to be stored',
  });
  t.false(site.writer.isFull);
  store.before = undefined;
  await until(() => site.writer.ledger().pending === 0, { ...BOUND, what: 'the locked row to be stored' });
  t.is((await rowsOf(store)).length, 5 + 3 * MAX_KEYS);
});

test('what is in the journal is never refused: a lower bound after a restart takes it all back', async (t) => {
  const store = new FaultyStore();
  const dir = tempDir(t);
  store.fail();
  const first = startSite(t, { dir, store }, 1000);
  first.send(hosts(0, 200), 1);
  await until(() => first.journaled() === 1, { ...BOUND, what: 'the batch' });
  await first.end();
  const second = startSite(t, { dir, store });
  await until(() => second.writer.ledger().pending === 200, { ...BOUND, what: 'the replay' });
  second.send(hosts(0, 200), 2);
  await until(() => second.journaled() === 1, { ...BOUND, what: 'a batch of the same keys' });
  second.send(hosts(500, 1), 1);
  await until(() => second.writer.isFull, { ...BOUND, what: 'a new key to wait' });
  t.is(second.writer.ledger().pending, 200);
});

test('when the bound is lifted, because no agent sends any more, what waits is journaled', async (t) => {
  const store = new FaultyStore();
  const site = startSite(t, { dir: tempDir(t), store });
  store.fail();
  site.send(hosts(0, 15), 1);
  await until(() => site.journaled() === 1, { ...BOUND, what: 'the first batch' });
  site.send(hosts(100, 15), 1);
  await until(() => site.writer.isFull, { ...BOUND, what: 'the second to wait' });
  site.writer.liftBound();
  await until(() => site.journaled() === 2, { ...BOUND, what: 'the second to be journaled' });
  t.is(site.writer.ledger().pending, 30);
});

test('whatever comes while the bound is reached, and whenever the writer crashes: nothing lost, no key steps back, every credit paid', async (t) => {
  const rounds = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 30 }), fc.nat(5)), {
    minLength: 5,
    maxLength: 25,
  });
  await fc.assert(
    fc.asyncProperty(rounds, async (list) => {
      const order = new OrderChecker();
      const store = new FaultyStore({ inner: order.watch(new MemoryStore()) });
      let crashAt = Number.POSITIVE_INFINITY;
      let steps = 0;
      const atStep = () => {
        if (++steps === crashAt) throw new Error('on purpose');
      };
      const site = startSite(t, { dir: tempDir(t), store, atStep });
      const newest = new Map<number, number>();
      for (const [value, [from, count, fate]] of list.entries()) {
        if (fate === 0) store.fail();
        if (fate === 1) store.heal();
        if (fate === 2) crashAt = steps + 1 + (from % 7);
        order.sent(reportOf(hosts(from, count), value + 1));
        site.send(hosts(from, count), value + 1);
        for (const host of hosts(from, count)) newest.set(host, value + 1);
      }
      store.heal();
      await until(() => site.journaled() === list.length && site.writer.ledger().pending === 0, {
        ...BOUND,
        what: 'everything to be stored',
      });
      t.true(site.writer.ledger().balanced);
      t.deepEqual(order.violations, []);
      const stored = new Map((await rowsOf(store)).map(({ ip, succ }) => [ip, succ]));
      t.deepEqual(
        [...stored].sort(([a], [b]) => a - b),
        [...newest].sort(([a], [b]) => a - b),
      );
      await site.end();
    }),
    { numRuns: 25 },
  );
});

/** What `send` sends, as a report. */
const reportOf = (ips: readonly number[], value: number): Report => ({
  ...{ modid: 1, cmdid: 2, caller: 5, ts: value },
  results: ips.map((ip) => ({ ip, port: 4, succ: value, err: 0, overload: false })),
});

async function rowsOf(store: FaultyStore) {
  const rows = [];
  for await (const row of store.read!.rows()) rows.push(row);
  return rows;
}
