import test, { type ExecutionContext } from 'ava';
import {
  type ConfigInput,
  type Report,
  type ReporterOptions,
  StoreError,
  type StoreErrorClass,
  startReporter,
} from '../../src/index.js';
import type { Row } from '../../src/model/row.js';
import {
  FaultyStore,
  LedgerChecker,
  numberedReport,
  OrderChecker,
  until,
  WriterCrashes,
} from '../../src/testing/index.js';
import { deadLettersOf, openLmdb } from '../journal/opened.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const HOSTS = 1000;

async function setUp(t: ExecutionContext, writers = 1) {
  const order = new OrderChecker();
  const store = new FaultyStore();
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    writers: { count: writers },
    journal: { dir: `${tempDir(t)}/journal` },
    supervision: { backoffMs: 1, maxBackoffMs: 5 },
  };
  const start = async (options: ReporterOptions = {}) => {
    const started = await startReporter(config, { store: order.watch(store), ...options });
    t.teardown(() => started.stop());
    return started;
  };
  const reporter = await start();
  const take = async (...reports: Report[]) => {
    for (const report of reports) order.sent(report);
    await reporter.report(...reports);
  };
  const letters = async () => {
    await reporter.stop();
    const journal = openLmdb({ dir: config.journal!.dir!, writers });
    t.teardown(() => journal.close());
    return await deadLettersOf(journal);
  };
  return { order, store, start, reporter, config, take, letters };
}

/** Refuses rows that `is` names, as a database does: the whole statement fails. */
function refusing(store: FaultyStore, is: (row: Row) => boolean, errorClass: StoreErrorClass = 'poison') {
  store.reject(
    is,
    (row) => new StoreError(errorClass, 'ER_REFUSED', `row ${row.port} is not wanted`, { mayBeOneRow: true }),
  );
}

for (const errorClass of ['poison', 'retry-slowly'] as const) {
  test(`one refused row among 1,000 is a dead letter, all others are stored (${errorClass})`, async (t) => {
    const { store, reporter, take, letters } = await setUp(t);
    refusing(store, (row) => row.port === 8500, errorClass);
    await take(numberedReport(1, 9, HOSTS, 3));
    await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be dealt with' });
    t.is(store.rows.size, HOSTS - 1);
    const { upserted, deadLettered, balanced } = reporter.ledger();
    t.deepEqual(
      { upserted, deadLettered, balanced },
      { upserted: HOSTS - 1, deadLettered: 1, balanced: true },
    );
    t.is(reporter.status().deadLetters, 1);
    const [letter, ...more] = await letters();
    t.deepEqual(more, []);
    t.is(letter!.row.port, 8500);
    t.is(letter!.row.succ, 3);
    t.is(letter!.code, 'ER_REFUSED');
    t.is(letter!.message, 'row 8500 is not wanted');
    t.is(letter!.peer, 'internal');
    t.true(Math.abs(Date.now() - letter!.lastAt) < 60_000);
  });
}

test('a key that is refused again and again stays one dead letter: the newest value, with a count', async (t) => {
  const { order, store, reporter, take, letters } = await setUp(t);
  refusing(store, (row) => row.port === 8002);
  for (let round = 1; round <= 5; round++) {
    await take(numberedReport(1, 9, 5, round));
    await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the round to be dealt with' });
  }
  t.is(reporter.ledger().deadLettered, 5);
  t.true(reporter.ledger().balanced);
  const all = await letters();
  t.deepEqual(
    all.map(({ row, count }) => [row.port, row.succ, count]),
    [[8002, 5, 5]],
  );
  t.deepEqual(order.violations, []);
});

test('a newer row that is stored supersedes its dead letter, also after a restart', async (t) => {
  const { order, store, reporter, start, take } = await setUp(t);
  refusing(store, (row) => row.succ === 1 && row.port < 8002);
  await take(numberedReport(1, 9, 5, 1));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the first round' });
  t.is(reporter.status().deadLetters, 2);
  await take(numberedReport(1, 9, 1, 2));
  await until(() => reporter.status().deadLetters === 1, { ...BOUND, what: 'one to be superseded' });
  await reporter.stop();
  const second = await start();
  t.is(second.status().deadLetters, 1);
  const report = numberedReport(1, 9, 5, 3);
  order.sent(report);
  await second.report(report);
  await until(() => second.status().deadLetters === 0, { ...BOUND, what: 'the other to be superseded' });
  t.is(store.rows.size, 5);
  t.notThrows(() => order.verify());
});

test('a store that takes nothing is no reason for dead letters: everything waits, and is stored when it is back', async (t) => {
  const { store, reporter, take } = await setUp(t);
  store.fail(new StoreError('retry-slowly', 'ER_ODD', 'for a reason nobody knows', { mayBeOneRow: true }));
  await take(numberedReport(1, 9, 100, 1));
  // More failures than it takes to look for a single row to blame.
  await until(() => store.statements > 12, { ...BOUND, what: 'the search for a row to blame' });
  t.is(reporter.ledger().deadLettered, 0);
  t.is(reporter.ledger().pending, 100);
  const [writer] = reporter.status().writers;
  t.like(writer!.store, { state: 'failing', class: 'retry-slowly', code: 'ER_ODD' });
  store.heal();
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rows to be stored' });
  t.is(store.rows.size, 100);
  t.true(reporter.ledger().balanced);
});

test('a row that is too large for the store alone is a dead letter, smaller batches go through', async (t) => {
  const { store, reporter, take } = await setUp(t);
  store.before = (rows) => {
    const size = [...rows].reduce((sum, row) => sum + (row.port === 8003 ? 1000 : 1), 0);
    if (size > 10) throw new StoreError('too-large', 'ER_NET_PACKET_TOO_LARGE', 'too large');
  };
  await take(numberedReport(1, 9, 100, 1));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be dealt with' });
  t.is(store.rows.size, 99);
  t.is(reporter.ledger().deadLettered, 1);
});

test('rows that are re-reported while they are being refused: the newer value counts, the ledger balances throughout', async (t) => {
  const { order, store, reporter, take } = await setUp(t, 2);
  refusing(store, (row) => row.port % 10 === 3 && row.succ % 2 === 1);
  const ledgers = new LedgerChecker(() => reporter.ledger(), 1);
  t.teardown(() => ledgers.stop());
  for (let round = 1; round <= 60; round++)
    await take(numberedReport(1, 9, 50, round), numberedReport(2, 9, 50, round));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be dealt with' });
  await ledgers.stop();
  t.notThrows(() => ledgers.verify());
  t.notThrows(() => order.verify());
  t.is(reporter.status().deadLetters, 0, 'the last, even round has superseded them all');
});

test('a writer that crashes on one record again and again has it put into quarantine and goes on', async (t) => {
  const { order, store, start, take, reporter } = await setUp(t);
  store.fail();
  for (let round = 1; round <= 3; round++) await take(numberedReport(round, 9, 4, round));
  await reporter.stop();

  store.heal();
  const crashes = new WriterCrashes();
  // Base, then the records: the second one is fatal each time.
  for (const after of [2, 5, 8]) crashes.at('recovery', { after });
  const second = await start({ atStep: crashes.atStep });
  t.is(crashes.count, 3);
  t.is(second.status().quarantined, 1);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'the others to be stored' });
  t.deepEqual([...store.rows.values()].map((row) => row.succ).toSorted(), [1, 1, 1, 1, 3, 3, 3, 3]);
  t.true(second.ledger().balanced);
  // It takes what comes as before.
  const report = numberedReport(2, 9, 4, 9);
  order.sent(report);
  await second.report(report);
  await until(() => second.ledger().pending === 0, { ...BOUND, what: 'new reports to be stored' });
  t.notThrows(() => order.verify());
});

test('a batch that crashes its writer whenever it is applied ends in quarantine, and its sender goes on', async (t) => {
  const { start, reporter: first } = await setUp(t);
  await first.stop();
  const crashes = new WriterCrashes();
  const reporter = await start({ atStep: crashes.atStep });
  const take = (report: Report) => reporter.report(report);
  await take(numberedReport(1, 9, 4, 1));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'a first row' });
  crashes.at('after-persist');
  // The journal's base, the first batch and its checkpoint replay well; the fourth event is the fatal one.
  for (const after of [3, 7, 11]) crashes.at('recovery', { after });
  await take(numberedReport(2, 9, 4, 2));
  t.is(crashes.count, 4);
  await take(numberedReport(3, 9, 4, 3));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rest to be stored' });
  t.true(reporter.ledger().balanced);
  t.is(reporter.status().quarantined, 1);
});

test('a store whose failure has a known reason that is its own is never searched for a row to blame', async (t) => {
  const { store, reporter, take } = await setUp(t);
  // A full table takes updates, and no new rows.
  await take(numberedReport(1, 9, 10, 1));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the first rows' });
  let attempts = 0;
  store.before = (rows) => {
    attempts++;
    for (const row of rows) {
      if (row.port >= 8010) throw new StoreError('retry-slowly', 'ER_RECORD_FILE_FULL', 'the table is full');
    }
  };
  await take(numberedReport(1, 9, 40, 2));
  await until(() => attempts >= 5, { ...BOUND, what: 'some attempts' });
  t.is(reporter.ledger().deadLettered, 0);
  store.heal();
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the rows to be stored' });
  t.is(reporter.ledger().deadLettered, 0);
  t.is(store.rows.size, 40);
});

for (const [when, bad, storedBefore] of [
  ['in the middle', 8077, 25],
  // Few rows are left then, all of which look like the one to blame.
  ['at the end', 8097, 97],
] as const) {
  test(`an outage ${when} of the search for a row to blame makes no dead letters but that row`, async (t) => {
    const { store, reporter, take } = await setUp(t);
    let stored = 0;
    let isAway = false;
    let isOver = false;
    const odd = () =>
      new StoreError('retry-slowly', 'ER_ODD', 'for a reason nobody knows', { mayBeOneRow: true });
    store.before = (rows) => {
      for (const row of rows) if (row.port === bad) throw odd();
      // After a part has been stored, nothing is for a while.
      if (isAway) throw odd();
      stored += rows.length;
      isAway = stored >= storedBefore && !isOver;
    };
    await take(numberedReport(1, 9, 100, 1));
    await until(() => isAway, { ...BOUND, what: 'the outage to begin' });
    await until(() => reporter.status().writers[0]!.store.state === 'failing', {
      ...BOUND,
      what: 'it to show',
    });
    t.is(reporter.ledger().deadLettered, 0);
    isOver = true;
    isAway = false;
    await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be dealt with' });
    t.is(reporter.ledger().deadLettered, 1);
    t.is(store.rows.size, 99);
    t.true(reporter.ledger().balanced);
  });
}
