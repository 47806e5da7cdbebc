import test, { type ExecutionContext } from 'ava';
import type { StoreWriter } from '../../../src/store/contract.js';
import { type MysqlStoreEvent, mysqlStore } from '../../../src/store/mysql/store.js';
import { until } from '../../../src/testing/until.js';
import { type DatabaseServer, startServer, USER } from '../../../tools/shared/database-server.js';
import { startProxy } from '../../../tools/shared/proxy.js';
import { service } from '../../support/rows.js';
import { collect } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

/** The value of ts whose upsert takes SLOW_SECONDS, before it locks a row: newer ones overtake it. */
const SLOW_TS = 10;
const SLOW_SECONDS = 4;
const TIMEOUTS = { queryTimeoutMs: 400, connectTimeoutMs: 400, lockTimeoutMs: 10_000 };

/** A table that records every change in `history`, in the order in which they took effect. */
async function setUp(t: ExecutionContext, { slowAs = `'${USER}'@'%'` } = {}) {
  const database = await makeDatabase(db);
  const admin = await db.session(database);
  await admin.query(
    'CREATE TABLE history (n bigint AUTO_INCREMENT PRIMARY KEY, modid int, ip int, ts bigint)',
  );
  for (const when of ['INSERT', 'UPDATE'])
    await admin.query(`CREATE TRIGGER after_${when} AFTER ${when} ON ServerCallStatus FOR EACH ROW
      INSERT INTO history (modid, ip, ts) VALUES (NEW.modid, NEW.ip, NEW.ts)`);
  await admin.query(`CREATE DEFINER=${slowAs} TRIGGER slow BEFORE INSERT ON ServerCallStatus FOR EACH ROW
    IF NEW.ts = ${SLOW_TS} AND NEW.ip = 0 THEN DO SLEEP(${SLOW_SECONDS}); END IF`);
  await admin.end();

  const events: MysqlStoreEvent[] = [];
  const store = (port = db.port, timeouts: Partial<typeof TIMEOUTS> = {}) =>
    mysqlStore({
      url: db.url(database).replace(`:${db.port}/`, `:${port}/`),
      ...TIMEOUTS,
      ...timeouts,
      onEvent: (event) => events.push(event),
    });
  const lane = (partition = 0, partitions = 1, journalId = t.title) => ({ partition, partitions, journalId });
  return { database, store, lane, events };
}

async function insist(writer: StoreWriter, modid: number, ts: number): Promise<void> {
  await until(
    async () => {
      await writer.upsert(service(modid, 5, ts));
      return true;
    },
    { boundMs: 30_000, what: 'the store takes the rows again' },
  );
}

// Within a trigger the user is the trigger's maker.
const sleeping = (database: string) => `SELECT id FROM information_schema.processlist
  WHERE db='${database}' AND state='User sleep'`;

/** Waits until nothing is under way, then asserts that no row ever went backwards, and that all hold `ts`. */
async function assertForward(t: ExecutionContext, database: string, ts: number): Promise<void> {
  const busy = `SELECT id FROM information_schema.processlist
    WHERE db='${database}' AND command <> 'Sleep'`;
  await until(async () => (await db.query(busy)).length === 0, {
    boundMs: 20_000,
    what: 'every statement is over',
  });
  const newest = new Map<string, number>();
  for (const { modid, ip, ts: stored } of await db.query(
    `SELECT modid, ip, ts FROM ${database}.history ORDER BY n`,
  )) {
    const key = `${modid} ${ip}`;
    t.true(Number(stored) >= (newest.get(key) ?? 0), `${key} went from ${newest.get(key)} back to ${stored}`);
    newest.set(key, Number(stored));
  }
  t.deepEqual([...new Set(newest.values())], [ts]);
  t.deepEqual(await db.query(`SELECT DISTINCT ts FROM ${database}.ServerCallStatus`), [{ ts }]);
}

test('a statement that outlives its time-out is over before a newer one begins', async (t) => {
  const { database, store, lane, events } = await setUp(t);
  const writer = store().writer(lane());
  t.teardown(() => writer.close());
  await insist(writer, 1, 1);
  t.true((await rejection(t, writer.upsert(service(1, 5, SLOW_TS)), 'retry')).maybeApplied);
  await writer.upsert(service(1, 5, 11));
  t.is(events.length, 1);
  t.like(events[0], { type: 'session-killed', partition: 0 });
  await assertForward(t, database, 11);
});

test('a statement the network held back finds its session gone', async (t) => {
  const { database, store, lane } = await setUp(t);
  const proxy = await startProxy(db.port);
  t.teardown(() => proxy.close());
  const writer = store(proxy.port).writer(lane());
  t.teardown(() => writer.close());
  await insist(writer, 1, 1);
  proxy.hold();
  t.true((await rejection(t, writer.upsert(service(1, 5, 2)), 'retry')).maybeApplied);
  t.true(proxy.heldBytes > 0);
  await insist(writer, 1, 3);
  proxy.release();
  await insist(writer, 1, 4);
  await assertForward(t, database, 4);
});

test('a new writer of the partition waits for the statement of the one before', async (t) => {
  const { database, store, lane } = await setUp(t);
  const shared = store();
  const first = shared.writer(lane());
  await insist(first, 1, 1);
  await rejection(t, first.upsert(service(1, 5, SLOW_TS)), 'retry');
  await first.close();
  const second = shared.writer(lane());
  t.teardown(() => second.close());
  await insist(second, 1, 11);
  await assertForward(t, database, 11);
});

for (const [earlier, later] of [
  [4, 2],
  [2, 7],
] as const)
  test(`a new run with ${later} partitions waits for the statements of an earlier one with ${earlier}`, async (t) => {
    const { database, store, lane } = await setUp(t);
    const old = store();
    const abandoned = old.writer(lane(earlier - 1, earlier));
    await insist(abandoned, 1, 1);
    // The reporter that sent this one is gone before it is answered.
    const sent = rejection(t, abandoned.upsert(service(1, 5, SLOW_TS)), 'retry');
    await until(async () => (await db.query(sleeping(database))).length, {
      boundMs: 5000,
      what: 'the old one runs',
    });

    const writers = Array.from({ length: later }, (_, partition) => store().writer(lane(partition, later)));
    t.teardown(() => Promise.all(writers.map((writer) => writer.close())));
    await insist(writers[0]!, 1, 11);
    await sent;
    await assertForward(t, database, 11);
  });

test('reporters of different journals, and writers of different partitions, do not wait for each other', async (t) => {
  const { store, lane, events } = await setUp(t);
  const writers = [lane(0, 2), lane(1, 2), lane(0, 2, 'another')].map((each) => store().writer(each));
  // Anew, for a lane of the same journal in another store is an earlier run to it.
  const shared = store();
  writers.splice(0, 2, shared.writer(lane(0, 2)), shared.writer(lane(1, 2)));
  for (const writer of writers) await writer.upsert(service(1, 5, 1));
  t.deepEqual(events, []);
  await Promise.all(writers.map((writer) => writer.close()));
});

test('two reporters with copies of one journal: the later one stores, the earlier one says why its rows wait', async (t) => {
  const { database, store, lane, events } = await setUp(t);
  const first = store(db.port, { lockTimeoutMs: 1 }).writer(lane());
  const copy = store().writer(lane());
  t.teardown(() => Promise.all([first.close(), copy.close()]));
  await insist(first, 1, 1);
  await copy.upsert(service(1, 5, 2));
  t.deepEqual(
    events.map(({ type }) => type),
    ['session-killed'],
  );
  // It notices by and by that its connection is gone.
  const error = await until(
    () =>
      first.upsert(service(1, 5, 3)).then(
        () => undefined,
        (thrown) => (thrown.code === 'PROTOCOL_CONNECTION_LOST' ? undefined : thrown),
      ),
    { boundMs: 10_000, what: 'the copy to be noticed' },
  );
  t.like(error, { class: 'configuration', code: 'JOURNAL_SHARED', maybeApplied: false });
  t.regex(error.message, /another reporter that works with this journal or a copy of it/);
  t.is(events.at(-1)?.type, 'journal-shared');
  for (let ts = 4; ts < 8; ts++) await copy.upsert(service(1, 5, ts));
  t.is(events.filter(({ type }) => type === 'session-killed').length, 1, 'they do not kill each other');
  await copy.close();
  await insist(first, 1, 8);
  await assertForward(t, database, 8);
});

test('a server, or what is in between, that refuses named locks: check says so, and no row is blamed', async (t) => {
  const { database, lane } = await setUp(t);
  const proxy = await startProxy(db.port);
  t.teardown(() => proxy.close());
  // Of the same length, and no function of any server.
  proxy.replace('GET_LOCK', 'GOT_LOCK');
  const store = mysqlStore({ url: db.url(database).replace(`:${db.port}/`, `:${proxy.port}/`) });
  const writer = store.writer(lane());
  for (const attempt of [() => store.check(), () => store.open(), () => writer.upsert(service(1, 5, 1))]) {
    const error = await rejection(t, attempt(), 'configuration');
    t.is(error.code, 'LOCKS_REFUSED');
    t.regex(error.message, /named locks \(GET_LOCK\) do not work on this server/);
  }
});

test('a session that does not end holds newer rows back, as retry, nothing applied', async (t) => {
  // No user may kill what runs in the name of root.
  const { database, store, lane } = await setUp(t, { slowAs: 'root@localhost' });
  const writer = store(db.port, { lockTimeoutMs: 1 }).writer(lane());
  t.teardown(() => writer.close());
  await insist(writer, 1, 1);
  const { id } = (
    await db.query(`SELECT id FROM information_schema.processlist WHERE db='${database}' AND user='${USER}'`)
  )[0]!;
  await rejection(t, writer.upsert(service(1, 5, SLOW_TS)), 'retry');
  const error = await rejection(t, writer.upsert(service(1, 5, 11)), 'retry');
  t.is(error.code, 'FENCE_HELD');
  t.regex(error.message, new RegExp(`connection ${id} of partition 0`));
  t.false(error.maybeApplied);
  await insist(writer, 1, 11);
  await assertForward(t, database, 11);
});

test.serial(
  'a server paused in the middle of a statement: no row goes backwards when it resumes',
  async (t) => {
    const { database, store, lane } = await setUp(t);
    const writer = store().writer(lane());
    t.teardown(() => writer.close());
    t.teardown(() => db.resume());
    await insist(writer, 1, 1);
    // Once while it runs, and several times while it waits to be read.
    for (let ts = SLOW_TS; ts < SLOW_TS + 10; ts += 2) {
      if (ts !== SLOW_TS) await db.pause();
      const upsert = rejection(t, writer.upsert(service(1, 5, ts)), 'retry');
      if (ts === SLOW_TS) {
        await until(async () => (await db.query(sleeping(database))).length, {
          boundMs: 5000,
          what: 'it runs',
        });
        await db.pause();
      }
      t.true((await upsert).maybeApplied);
      await rejection(t, writer.upsert(service(1, 5, ts + 1)), 'retry');
      const newer = insist(writer, 1, ts + 1);
      db.resume();
      await newer;
    }
    await assertForward(t, database, SLOW_TS + 9);
  },
);

test.serial(
  'a server killed in the middle of a statement: no row goes backwards when it is back',
  async (t) => {
    const { database, store, lane } = await setUp(t);
    const shared = store();
    const writer = shared.writer(lane());
    t.teardown(() => writer.close());
    await insist(writer, 1, 1);
    const upsert = rejection(t, writer.upsert(service(1, 5, SLOW_TS)), 'retry');
    await until(async () => (await db.query(sleeping(database))).length, { boundMs: 5000, what: 'it runs' });
    await db.kill9();
    t.true((await upsert).maybeApplied);
    await db.start();
    await insist(writer, 1, 11);
    await assertForward(t, database, 11);
    t.is((await collect(shared)).length, 5);
  },
);
