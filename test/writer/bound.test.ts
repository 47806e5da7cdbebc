import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Report } from '../../src/model/report.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { type EventSink, NO_EVENTS } from '../../src/observe/events.js';
import { StoreHealth } from '../../src/observe/store-health.js';
import { spawnRouter } from '../../src/routing/router.js';
import { startSystem, stop } from '../../src/runtime/actors.js';
import { FaultyStore, MemoryStore, OrderChecker, until } from '../../src/testing/index.js';
import { Writer } from '../../src/writer/writer.js';
import { openLmdb } from '../journal/opened.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const MAX_KEYS = 20;

interface Site {
  readonly dir: string;
  readonly store: FaultyStore;
  readonly atStep?: (step: string) => void;
}

/** A router and a writer that may hold 20 keys, on a real journal. */
function start(t: ExecutionContext, { dir, store, atStep }: Site, maxKeys = MAX_KEYS) {
  const journal = openLmdb({ dir, writers: 1 });
  const system = startSystem();
  const full: boolean[] = [];
  const events: EventSink = {
    emit: (event) => {
      if (event.type === 'writer-full') full.push(event.isFull);
    },
  };
  const router = spawnRouter(system, 1, NO_EVENTS);
  const writer = new Writer(system, {
    partition: 0,
    journal: journal.partition(0),
    store: store.writer({ partition: 0, partitions: 1, journalId: journal.id }),
    health: new StoreHealth(0, NO_EVENTS),
    router: router.ref,
    limits: { maxBatchRows: 10, snapshotBytes: 100_000, maxKeys },
    restarts: { recovered: () => {}, crashed: async () => {} },
    events,
    atStep,
  });
  router.connect(0, writer.ref);
  let journaled = 0;
  /** Leaves rows of these hosts with the router; each is one batch, or part of one. */
  const send = (hosts: readonly number[], value: number) => {
    const buffer = new RowBuffer(hosts.length);
    for (const ip of hosts) buffer.append(pack({ ip, succ: value, ts: value }), 0, 10);
    router.inbox.offer(buffer, { outstanding: 0, settled: () => journaled++ });
  };
  const end = async () => {
    await writer.end();
    stop(system);
    await journal.close();
  };
  t.teardown(() => end().catch(() => {}));
  return { writer, router, send, end, full, journaled: () => journaled };
}

const hosts = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

test('beyond the bound a batch with new keys waits, unjournaled and unpaid, until the store takes some; then all is stored', async (t) => {
  const store = new FaultyStore();
  const site = start(t, { dir: tempDir(t), store });
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
  t.deepEqual(site.full, [true, false]);
  t.is((await rowsOf(store)).length, 30);
});

test('batches that add no key are taken in at the bound', async (t) => {
  const store = new FaultyStore();
  const site = start(t, { dir: tempDir(t), store });
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
  const site = start(t, { dir: tempDir(t), store });
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

test('what is in the journal is never refused: a lower bound after a restart takes it all back', async (t) => {
  const store = new FaultyStore();
  const dir = tempDir(t);
  store.fail();
  const first = start(t, { dir, store }, 1000);
  first.send(hosts(0, 200), 1);
  await until(() => first.journaled() === 1, { ...BOUND, what: 'the batch' });
  await first.end();
  const second = start(t, { dir, store });
  await until(() => second.writer.ledger().pending === 200, { ...BOUND, what: 'the replay' });
  second.send(hosts(0, 200), 2);
  await until(() => second.journaled() === 1, { ...BOUND, what: 'a batch of the same keys' });
  second.send(hosts(500, 1), 1);
  await until(() => second.writer.isFull, { ...BOUND, what: 'a new key to wait' });
  t.is(second.writer.ledger().pending, 200);
});

test('when the bound is lifted, because no agent sends any more, what waits is journaled', async (t) => {
  const store = new FaultyStore();
  const site = start(t, { dir: tempDir(t), store });
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
      const site = start(t, { dir: tempDir(t), store, atStep });
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
