import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type Report, StoreError, startReporter } from '../../src/index.js';
import type { Row, RowBatch } from '../../src/model/row.js';
import { FaultyStore, numberedReport, OrderChecker, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const HOSTS = 1000;

async function setUp(t: ExecutionContext) {
  const order = new OrderChecker();
  const store = new FaultyStore();
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: 1 },
    journal: { dir: `${tempDir(t)}/journal` },
  };
  const reporter = await startReporter(config, { store: order.watch(store) });
  t.teardown(() => reporter.stop());
  const take = async (...reports: Report[]) => {
    for (const report of reports) order.sent(report);
    await reporter.report(...reports);
  };
  const drained = () =>
    until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  return { order, store, reporter, take, drained };
}

const tooSlow = () => new StoreError('retry', 'ER_LOCK_WAIT_TIMEOUT', 'it took too long', { tooSlow: true });

/** Statements that hold a row which `is` names take too long, as while another transaction has it locked. */
function lock(store: FaultyStore, is: (row: Row) => boolean): void {
  store.before = (rows: RowBatch) => {
    if ([...rows].some(is)) throw tooSlow();
  };
}

test('a row that is locked waits, and no other row waits for it, new keys included', async (t) => {
  const { order, store, reporter, take, drained } = await setUp(t);
  lock(store, (row) => row.port === 8500);
  await take(numberedReport(1, 9, HOSTS, 1));
  await until(() => store.rows.size === HOSTS - 1, { ...BOUND, what: 'the others to be stored' });
  // The locked key is reported again each time, as agents do.
  for (let round = 2; round <= 5; round++) {
    const before = store.taken;
    await take(numberedReport(1, 9, HOSTS, round), numberedReport(100 + round, 9, 10, round));
    await until(() => store.taken >= before + HOSTS - 1 + 10, { ...BOUND, what: 'the others, again' });
  }
  await until(() => reporter.ledger().pending === 1, { ...BOUND, what: 'all but the locked row' });
  t.is(reporter.ledger().deadLettered, 0);
  t.is(reporter.status().writers[0]!.store.state, 'ok');
  store.heal();
  await drained();
  t.notThrows(() => order.verify());
});

test('new keys do not wait for a locked row that was alone, wherever it stands in the order of keys', async (t) => {
  for (const service of [0, 9]) {
    const { store, take, drained } = await setUp(t);
    const locked = numberedReport(service, 9, 1, 1);
    lock(store, (row) => row.modid === locked.modid);
    await take(locked);
    await until(() => store.statements > 2, { ...BOUND, what: 'it to fail' });
    for (let round = 1; round <= 3; round++) {
      await take(numberedReport(5, round, 10, round));
      await until(() => store.rows.size === 10 * round, { ...BOUND, what: 'the new keys' });
    }
    store.heal();
    await drained();
    t.is(store.rows.size, 31);
  }
});

test('several rows that are locked, next to each other and apart, all wait, and are stored when they are free', async (t) => {
  const { order, store, reporter, take, drained } = await setUp(t);
  const locked = (row: Row) => (row.port >= 8100 && row.port < 8110) || row.port % 331 === 0;
  lock(store, locked);
  const free = [...Array(HOSTS).keys()].filter((host) => !locked({ port: 8000 + host } as Row)).length;
  await take(numberedReport(1, 9, HOSTS, 1));
  await until(() => store.rows.size === free, { ...BOUND, what: 'the others to be stored' });
  await take(numberedReport(2, 9, 10, 2));
  await until(() => store.rows.size === free + 10, { ...BOUND, what: 'new keys to be stored' });
  t.is(reporter.ledger().deadLettered, 0);
  store.heal();
  await drained();
  t.is(store.rows.size, HOSTS + 10);
  t.notThrows(() => order.verify());
});

test('a statement that takes too long is followed by ones of fewer rows, until they fit', async (t) => {
  const { store, take, drained } = await setUp(t);
  const sizes: number[] = [];
  store.before = (rows) => {
    sizes.push(rows.length);
    if (rows.length > 10) throw tooSlow();
  };
  await take(numberedReport(1, 9, HOSTS, 1));
  await drained();
  t.is(store.rows.size, HOSTS);
  const fit = sizes.findIndex((size) => size <= 10);
  t.true(fit <= 8, `one that fits comes soon: ${sizes.slice(0, fit + 1)}`);
});

test('a store that takes too long for every single row is to blame: it is said, and all rows wait', async (t) => {
  const { store, reporter, take, drained } = await setUp(t);
  store.before = () => {
    throw tooSlow();
  };
  await take(numberedReport(1, 9, HOSTS, 1));
  const state = await until(
    () => {
      const now = reporter.status().writers[0]!.store;
      return now.state === 'failing' && now.message.startsWith('even a statement of one row') && now;
    },
    { ...BOUND, what: 'it to be said that not even one row fits' },
  );
  t.like(state, { class: 'retry-slowly', code: 'ER_LOCK_WAIT_TIMEOUT' });
  t.is(reporter.ledger().deadLettered, 0);
  t.is(reporter.ledger().pending, HOSTS);
  store.heal();
  await drained();
  t.is(store.rows.size, HOSTS);
  t.is(reporter.ledger().deadLettered, 0);
});

test('a row that takes too long, and another that is refused: one waits, the other is a dead letter', async (t) => {
  const { store, reporter, take } = await setUp(t);
  lock(store, (row) => row.port === 8100);
  store.reject((row) => row.port === 8900);
  await take(numberedReport(1, 9, HOSTS, 1));
  await until(() => store.rows.size === HOSTS - 2, { ...BOUND, what: 'the others to be stored' });
  await until(() => reporter.status().deadLetters === 1, { ...BOUND, what: 'the dead letter' });
  await until(() => reporter.ledger().pending === 1, { ...BOUND, what: 'all but the row that waits' });
  store.before = undefined;
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the other to be stored' });
  t.is(store.rows.size, HOSTS - 1);
});

test('however many rows are locked, first in the order of keys, the others are stored', async (t) => {
  const { store, reporter, take, drained } = await setUp(t);
  const { modid } = numberedReport(1, 9, 1, 1);
  lock(store, (row) => row.modid === modid && row.port < 8000 + HOSTS / 2);
  await take(numberedReport(1, 9, HOSTS, 1));
  await until(() => store.rows.size === HOSTS / 2, { ...BOUND, what: 'the others to be stored' });
  await take(numberedReport(2, 9, 10, 2));
  await until(() => store.rows.size === HOSTS / 2 + 10, { ...BOUND, what: 'new keys to be stored' });
  t.is(reporter.ledger().deadLettered, 0);
  store.heal();
  await drained();
});

test('rows that are locked, however many, take no more of a writer than a part of its time', async (t) => {
  const { store, reporter, take } = await setUp(t);
  const SLOW_MS = 150;
  /** When each try of locked rows began. */
  const tries: number[] = [];
  store.before = async (rows) => {
    if (![...rows].some(({ port }) => port < 8016)) return;
    tries.push(performance.now());
    await sleep(SLOW_MS);
    throw tooSlow();
  };
  await take(numberedReport(1, 9, 32, 1));
  await until(() => reporter.ledger().pending === 16, { ...BOUND, what: 'the others to be stored' });
  const first = tries.length;
  // Tries come in rounds, each with its pause: a round without its pause says nothing.
  const isAfterPause = (at: number) => at >= first + 4 && tries[at]! - tries[at - 1]! > 2.5 * SLOW_MS;
  const last = await until(() => tries.findIndex((_, at) => isAfterPause(at)) + 1, {
    ...BOUND,
    what: 'rounds of tries with their pauses',
  });
  const share = ((last - 1 - first) * SLOW_MS) / (tries[last - 1]! - tries[first]!);
  t.true(share < 0.5, `they take ${Math.round(100 * share)} % of the time`);
  t.is(reporter.ledger().pending, 16);
});

test('where all rows that wait are locked, the store is not blamed: they are set aside, and new keys are stored', async (t) => {
  const { order, store, reporter, take, drained } = await setUp(t);
  const state = () => reporter.status().writers[0]!.store.state;
  await take(numberedReport(1, 9, 32, 1));
  await drained();
  const { modid } = numberedReport(1, 9, 1, 1);
  lock(store, (row) => row.modid === modid && row.port < 8016);
  await take(numberedReport(1, 9, 16, 2));
  const before = store.statements;
  await until(() => store.statements > before + 2, { ...BOUND, what: 'statements to take too long' });
  await until(() => state() === 'ok', { ...BOUND, what: 'the rows to be blamed' });
  await take(numberedReport(2, 9, 10, 2));
  await until(() => reporter.ledger().pending === 16, { ...BOUND, what: 'new keys to be stored' });
  t.is(state(), 'ok');
  store.heal();
  await drained();
  t.notThrows(() => order.verify());
});

test('to know whether the store takes rows, no value is written of which a newer one may be stored', async (t) => {
  const { order, store, take, drained } = await setUp(t);
  await take(numberedReport(1, 9, 2, 1));
  await drained();
  let failures = 0;
  store.after = () => {
    if (failures++ >= 8) return;
    throw new StoreError('retry', 'ER_QUERY_TIMEOUT', 'it took too long', {
      tooSlow: true,
      maybeApplied: true,
    });
  };
  await take(numberedReport(1, 9, 2, 2));
  await drained();
  t.true(failures > 8);
  t.notThrows(() => order.verify());
});

test('a store that goes away while only rows that were set aside are pending is said to be away', async (t) => {
  const { store, reporter, take, drained } = await setUp(t);
  const state = () => reporter.status().writers[0]!.store.state;
  lock(store, (row) => row.port === 8000);
  await take(numberedReport(1, 9, 10, 1));
  await until(() => reporter.ledger().pending === 1, { ...BOUND, what: 'all but the locked row' });
  t.is(state(), 'ok');
  store.before = () => {
    throw new StoreError('retry', 'ETIMEDOUT', 'connecting: no answer');
  };
  await until(() => state() === 'failing', { ...BOUND, what: 'the state to say that the store is away' });
  store.heal();
  await drained();
  t.is(state(), 'ok');
});

test('when the store takes rows of one writer again, the others try theirs at once', async (t) => {
  const store = new FaultyStore();
  const reporter = await startReporter(
    {
      ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } },
      ...{ writers: { count: 4 }, journal: { dir: `${tempDir(t)}/journal` } },
    },
    { store },
  );
  t.teardown(() => reporter.stop());
  let isAway = true;
  const attempts = [0, 0, 0, 0];
  const triedMs = [0, 0, 0, 0];
  store.before = (_rows, { partition }) => {
    attempts[partition]!++;
    triedMs[partition] = performance.now();
    if (isAway) throw new StoreError('configuration', 'ER_ACCOUNT_HAS_BEEN_LOCKED', 'locked');
  };
  await reporter.report(...Array.from({ length: 40 }, (_, service) => numberedReport(service, 9, 5, 1)));
  // Pauses are 4 s and more by then.
  await until(() => attempts.every((count) => count >= 5), { ...BOUND, what: 'all to have failed' });
  isAway = false;
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  const betweenMs = Math.max(...triedMs) - Math.min(...triedMs);
  t.true(betweenMs < 2000, `all follow the first one, the last one after ${betweenMs} ms`);
});
