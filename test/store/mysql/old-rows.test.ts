import test, { type ExecutionContext } from 'ava';
import type { Row } from '../../../src/model/row.js';
import type { ForgetOrder } from '../../../src/store/contract.js';
import { openStore } from '../../../src/store/open.js';
import { until } from '../../../src/testing/until.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { batch, keyOf, row } from '../../support/rows.js';
import { collect, LANE } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const CUTOFF = 1_000_000;
const OLD = CUTOFF - 1;
const order = (change: Partial<ForgetOrder> = {}): ForgetOrder => ({
  isOld: ({ ts }) => ts < CUTOFF,
  beforeS: CUTOFF,
  dryRun: false,
  ...change,
});

/** A table that holds these rows, and a writer beside. */
async function tableOf(t: ExecutionContext, rows: readonly Row[], ...alter: readonly string[]) {
  const database = await makeDatabase(db, ...alter);
  const store = openStore(db.url(database));
  const writer = store.writer({ ...LANE, journalId: t.title });
  t.teardown(() => writer.close());
  await writer.upsert(batch(rows));
  return { database, store, writer };
}

const many = (count: number, ts: number, modid = 1): Row[] =>
  Array.from({ length: count }, (_, index) => row({ modid, ip: index, ts }));

async function run(steps: AsyncIterable<unknown>) {
  let last: unknown;
  for await (const step of steps) last = step;
  return last;
}

for (const [signs, alter] of [
  ['signed', []],
  ['unsigned', ['MODIFY ip int unsigned NOT NULL, MODIFY caller int unsigned NOT NULL']],
] as const)
  test(`old rows go, all others stay, to the second; keys with the highest bit too (${signs} columns)`, async (t) => {
    const kept = [row({ ip: -5, ts: CUTOFF }), row({ caller: -1, ts: CUTOFF + 1 })];
    const old = [row({ ip: -6, ts: OLD }), row({ caller: -2, ts: 0 }), row({ ip: -6, caller: -2, ts: OLD })];
    const { store } = await tableOf(t, [...kept, ...old], ...alter);
    t.deepEqual(await run(store.forget!(order({ dryRun: true }))), { looked: 5, old: 3, removed: 0 });
    t.is((await collect(store)).length, 5);
    t.deepEqual(await run(store.forget!(order())), { looked: 5, old: 3, removed: 3 });
    t.deepEqual((await collect(store)).map(keyOf).sort(), kept.map(keyOf).sort());
    t.deepEqual(await run(store.forget!(order())), { looked: 2, old: 0, removed: 0 }, 'again: nothing to do');
  });

test('what the order does not call old stays, however old it looks', async (t) => {
  const { store } = await tableOf(t, [row({ caller: 7, ts: 0 }), row({ caller: 8, ts: 0 })]);
  const isOld = ({ caller }: Row) => caller !== 7;
  t.deepEqual(await run(store.forget!(order({ isOld }))), { looked: 2, old: 1, removed: 1 });
});

test('a row that is reported after it was read, and before it would go, stays', async (t) => {
  const { store, writer } = await tableOf(t, many(1000, OLD));
  const steps = store.forget!(order())[Symbol.asyncIterator]();
  const first = (await steps.next()).value as { old: number; removed: number };
  t.true(first.removed > 0 && first.removed < 1000);
  // All rows of the page were read by now.
  await writer.upsert(batch(many(1000, CUTOFF + 5)));
  let last = first;
  for (;;) {
    const { value, done } = await steps.next();
    if (done === true) break;
    last = value as typeof first;
  }
  t.is(last.old, 1000);
  t.is(last.removed, first.removed);
  const rows = await collect(store);
  t.is(rows.length, 1000, 'what was removed before is there again: an upsert inserts');
  t.true(rows.every(({ ts }) => ts === CUTOFF + 5));
});

test('beside a writer that never stops, no newer row is ever missing', async (t) => {
  const { store, writer } = await tableOf(t, [...many(1500, OLD), ...many(1500, OLD, 2)]);
  let isOver = false;
  let newest = CUTOFF;
  const writing = (async () => {
    while (!isOver) {
      newest++;
      await writer.upsert(batch(many(1500, newest)));
    }
  })();
  for (let round = 0; round < 5; round++) await run(store.forget!(order()));
  isOver = true;
  await writing;
  const rows = await collect(store);
  t.is(rows.length, 1500, 'those of the other service are gone');
  t.true(rows.every(({ ts }) => ts === newest));
});

test('a row that somebody has locked is waited for', async (t) => {
  const { store, database } = await tableOf(t, many(3, OLD));
  const session = await db.session(database);
  await session.query('START TRANSACTION');
  await session.query('SELECT * FROM ServerCallStatus WHERE ip=1 FOR UPDATE');
  const forgetting = run(store.forget!(order()));
  const waiting = () =>
    db.query(
      `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db='${database}' AND info LIKE 'DELETE old%'`,
    );
  await until(async () => Number((await waiting())[0]?.['n']) > 0, { boundMs: 20_000, what: 'it to wait' });
  await session.query('COMMIT');
  await session.end();
  t.deepEqual(await forgetting, { looked: 3, old: 3, removed: 3 });
});

test('a row that stays locked stays, and the others go', async (t) => {
  const { store, database } = await tableOf(t, [...many(200, OLD), ...many(50, OLD, 2)]);
  const session = await db.session(database);
  t.teardown(() => session.end());
  await session.query('START TRANSACTION');
  await session.query(
    'SELECT * FROM ServerCallStatus WHERE modid=1 AND cmdid=2 AND ip=1 AND port=4 AND caller=5 FOR UPDATE',
  );
  t.deepEqual(await run(store.forget!(order())), { looked: 250, old: 250, removed: 50 });
});

test('without the right to delete nothing goes, and the right is named', async (t) => {
  const { store, database } = await tableOf(t, many(3, OLD));
  await db.query("CREATE USER keeper@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${database}.ServerCallStatus TO keeper@'%'`);
  const other = openStore(db.url(database).replace(/\/\/.*@/, '//keeper:x@'));
  const error = await rejection(t, run(other.forget!(order())), 'configuration');
  t.regex(error.message, /GRANT DELETE/);
  t.is((await collect(store)).length, 3);
});
