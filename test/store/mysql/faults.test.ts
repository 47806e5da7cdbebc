import test, { type ExecutionContext } from 'ava';
import type { StoreWriter } from '../../../src/store/contract.js';
import { mysqlStore } from '../../../src/store/mysql/store.js';
import { until } from '../../../src/testing/until.js';
import { type DatabaseServer, PASSWORD, startServer, USER } from '../../../tools/shared/database-server.js';
import { batch, row, service } from '../../support/rows.js';
import { collect } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

// One server, which these tests kill and reconfigure: they run one after the other.
let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const TIMEOUTS = { queryTimeoutMs: 2_000, connectTimeoutMs: 1_000, lockTimeoutMs: 5_000 };

async function setUp(t: ExecutionContext, timeouts: Partial<typeof TIMEOUTS> = {}) {
  const database = await makeDatabase(db);
  const store = mysqlStore({ url: db.url(database), ...TIMEOUTS, ...timeouts });
  const writer = store.writer({ partition: 0, partitions: 1, journalId: t.title });
  t.teardown(() => writer.close());
  return { database, store, writer };
}

/** As a writer actor does it: again after each failure, here without a pause worth the name. */
function insist(writer: StoreWriter, rows: Parameters<StoreWriter['upsert']>[0]) {
  return until(
    async () => {
      await writer.upsert(rows);
      return true;
    },
    { boundMs: 20_000, what: 'the store takes the rows again' },
  );
}

/** Ids of the writers' connections that `condition` (on information_schema.processlist) holds for. */
async function connections(condition: string): Promise<number[]> {
  const rows = await db.query(
    `SELECT id FROM information_schema.processlist WHERE user='${USER}' AND ${condition}`,
  );
  return rows.map(({ id }) => Number(id));
}

test.serial('a server killed and started again: rejected as retry meanwhile, then all goes on', async (t) => {
  const { store, writer } = await setUp(t);
  await writer.upsert(service(1, 100, 1));
  await db.kill9();
  for (let attempt = 0; attempt < 3; attempt++)
    await rejection(t, writer.upsert(service(1, 100, 2)), 'retry');
  await rejection(t, store.open(), 'retry');
  await rejection(t, collect(store), 'retry');
  await db.start();
  await insist(writer, service(1, 100, 3));
  const rows = await collect(store);
  t.is(rows.length, 100);
  t.true(rows.every(({ ts }) => ts === 3));
});

test.serial(
  'a server that is away at start is no reason to stop: the table is checked when it is there',
  async (t) => {
    const { store, writer, database } = await setUp(t);
    await db.query(`ALTER TABLE ${database}.ServerCallStatus DROP PRIMARY KEY`);
    await db.stop();
    await rejection(t, store.open(), 'retry');
    await rejection(t, writer.upsert(service(1, 1, 1)), 'retry');
    await db.start();
    await rejection(t, writer.upsert(service(1, 1, 1)), 'configuration');
    await db.query(
      `ALTER TABLE ${database}.ServerCallStatus ADD PRIMARY KEY (modid, cmdid, ip, port, caller)`,
    );
    await writer.upsert(service(1, 1, 1));
    t.is((await collect(store)).length, 1);
  },
);

test.serial('an idle connection that is killed is replaced without a failure', async (t) => {
  const { database, writer } = await setUp(t);
  await writer.upsert(service(1, 1, 1));
  const [idle] = await connections(`db='${database}'`);
  await db.query(`KILL ${idle}`);
  await until(async () => (await connections(`db='${database}'`)).length === 0, {
    boundMs: 5000,
    what: 'the connection is gone',
  });
  // One more round through the event loop and the server: the news has come in through the socket before.
  await db.query('SELECT 1');
  await writer.upsert(service(1, 1, 2));
  t.pass();
});

test.serial('KILL of the connection in the middle of a statement is retry, maybe applied', async (t) => {
  const { database, store, writer } = await setUp(t);
  await writer.upsert(service(1, 10, 1));
  const admin = await db.session(database);
  await admin.query('BEGIN');
  await admin.query('SELECT * FROM ServerCallStatus FOR UPDATE');
  const upsert = rejection(t, writer.upsert(service(1, 10, 2)), 'retry');
  const [busy] = await until(
    () => connections(`db='${database}' AND info LIKE 'INSERT%'`).then((ids) => ids.length > 0 && ids),
    {
      boundMs: 5000,
      what: 'the upsert waits for the row',
    },
  );
  await db.query(`KILL ${busy}`);
  t.true((await upsert).maybeApplied);
  await admin.end();
  await insist(writer, service(1, 10, 3));
  t.true((await collect(store)).every(({ ts }) => ts === 3));
});

test.serial(
  'a statement that meets a locked row is retry within the time-out, and its connection goes on',
  async (t) => {
    const { database, writer } = await setUp(t);
    await writer.upsert(service(1, 10, 1));
    const [before] = await connections(`db='${database}'`);
    const admin = await db.session(database);
    await admin.query('BEGIN');
    await admin.query('SELECT * FROM ServerCallStatus FOR UPDATE');
    const error = await rejection(t, writer.upsert(service(1, 10, 2)), 'retry');
    t.is(error.code, 'ER_LOCK_WAIT_TIMEOUT');
    t.false(error.maybeApplied);
    await admin.end();
    await writer.upsert(service(1, 10, 3));
    t.deepEqual(await connections(`db='${database}'`), [before]);
  },
);

test.serial('the victim of a deadlock is told retry, and nothing of its batch was stored', async (t) => {
  const { database, store, writer } = await setUp(t);
  // The whole key, else the server locks every row it looks at.
  const KEY = 'modid = 1 AND cmdid = 1 AND port = 80 AND caller = 1';
  await writer.upsert(service(1, 2, 1));
  const admin = await db.session(database);
  await admin.query('CREATE TABLE weight (n int)');
  await admin.query('BEGIN');
  // The server gives up the transaction that changed fewer rows.
  await admin.query(`INSERT INTO weight VALUES ${Array(50).fill('(1)').join(',')}`);
  await admin.query(`UPDATE ServerCallStatus SET ts = 5 WHERE ${KEY} AND ip = 1`);
  const upsert = rejection(t, writer.upsert(service(1, 2, 2)), 'retry');
  await until(async () => (await connections(`db='${database}' AND info LIKE 'INSERT%'`)).length, {
    boundMs: 5000,
    what: 'the upsert waits for the second row',
  });
  await admin.query(`UPDATE ServerCallStatus SET ts = 5 WHERE ${KEY} AND ip = 0`);
  const error = await upsert;
  t.is(error.code, 'ER_LOCK_DEADLOCK');
  t.false(error.maybeApplied);
  await admin.query('COMMIT');
  await admin.end();
  t.deepEqual(
    (await collect(store)).map(({ ts }) => ts),
    [5, 5],
  );
});

test.serial(
  'a server that stands still costs no more than the time-outs, for a statement and for connecting',
  async (t) => {
    const { store, writer } = await setUp(t, { queryTimeoutMs: 500, connectTimeoutMs: 500 });
    await writer.upsert(service(1, 10, 1));
    await db.pause();
    t.teardown(() => db.resume());
    const begun = performance.now();
    const statement = await rejection(t, writer.upsert(service(1, 10, 2)), 'retry');
    t.deepEqual([statement.code, statement.maybeApplied], ['PROTOCOL_SEQUENCE_TIMEOUT', true]);
    const connecting = await rejection(t, writer.upsert(service(1, 10, 2)), 'retry');
    t.deepEqual([connecting.code, connecting.maybeApplied], ['ETIMEDOUT', false]);
    await rejection(t, store.check(), 'retry');
    await rejection(t, collect(store), 'retry');
    t.true(performance.now() - begun < 10_000);
    db.resume();
    await insist(writer, service(1, 10, 3));
    t.true((await collect(store)).every(({ ts }) => ts === 3));
  },
);

test.serial('a read-only server is retry-slowly, and is used again when it is writable', async (t) => {
  const { store, writer } = await setUp(t);
  await writer.upsert(service(1, 1, 1));
  await db.query('SET GLOBAL read_only = 1');
  t.teardown(() => db.query('SET GLOBAL read_only = 0'));
  const error = await rejection(t, writer.upsert(service(1, 1, 2)), 'retry-slowly');
  t.is(error.code, 'ER_OPTION_PREVENTS_STATEMENT');
  await rejection(t, writer.upsert(service(1, 1, 2)), 'retry-slowly');
  await rejection(t, store.open(), 'retry-slowly');
  await db.query('SET GLOBAL read_only = 0');
  await writer.upsert(service(1, 1, 3));
  t.is((await collect(store))[0]?.ts, 3);
});

for (const [what, poison] of [
  ['a CHECK', 'ALTER TABLE ServerCallStatus ADD CHECK (succ_cnt <> 13)'],
  [
    'the SIGNAL of a trigger',
    `CREATE TRIGGER no13 BEFORE INSERT ON ServerCallStatus FOR EACH ROW
     IF NEW.succ_cnt = 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no 13 here'; END IF`,
  ],
] as const)
  test.serial(
    `a row refused by ${what} poisons its batch: nothing of it is stored, the others are without it`,
    async (t) => {
      const { database, store, writer } = await setUp(t);
      const admin = await db.session(database);
      await admin.query(poison);
      await admin.end();
      const good = [row({ ip: 1 }), row({ ip: 3 })];
      const error = await rejection(t, writer.upsert(batch([...good, row({ ip: 2, succ: 13 })])), 'poison');
      t.false(error.maybeApplied);
      t.deepEqual(await collect(store), []);
      await writer.upsert(batch(good));
      t.deepEqual(await collect(store), good);
    },
  );

test.serial('a statement larger than the server takes is too-large; half of it may fit', async (t) => {
  const { store, writer } = await setUp(t);
  const { bytes } = (await db.query('SELECT @@GLOBAL.max_allowed_packet bytes'))[0]!;
  await db.query('SET GLOBAL max_allowed_packet = 16384');
  t.teardown(() => db.query(`SET GLOBAL max_allowed_packet = ${bytes}`));
  const rows = service(1, 1000, 1);
  t.false((await rejection(t, writer.upsert(rows), 'too-large')).maybeApplied);
  for (let from = 0; from < 1000; from += 250) await writer.upsert(rows.slice(from, from + 250));
  t.is((await collect(store)).length, 1000);
});

test.serial(
  'with the smallest packets a server can be set to, check passes and every row is stored',
  async (t) => {
    const { store, writer } = await setUp(t);
    const { bytes } = (await db.query('SELECT @@GLOBAL.max_allowed_packet bytes'))[0]!;
    await db.query('SET GLOBAL max_allowed_packet = 1024');
    t.teardown(() => db.query(`SET GLOBAL max_allowed_packet = ${bytes}`));
    await store.check();
    const rows = service(1, 100, 1);
    t.false((await rejection(t, writer.upsert(rows), 'too-large')).mayBeOneRow);
    for (let from = 0; from < 100; from += 20) await writer.upsert(rows.slice(from, from + 20));
    t.is((await collect(store)).length, 100);
  },
);

test.serial('a password that is changed under way is configuration, until it is changed back', async (t) => {
  const { database, store, writer } = await setUp(t);
  await writer.upsert(service(1, 1, 1));
  const change = (password: string) => db.query(`ALTER USER '${USER}'@'%' IDENTIFIED BY '${password}'`);
  await change('other');
  t.teardown(() => change(PASSWORD));
  for (const id of await connections(`db='${database}'`)) await db.query(`KILL ${id}`);
  await until(
    () =>
      writer.upsert(service(1, 1, 2)).then(
        () => false,
        ({ class: errorClass }) => errorClass === 'configuration',
      ),
    { boundMs: 5000, what: 'the new password is asked for' },
  );
  await change(PASSWORD);
  await writer.upsert(service(1, 1, 3));
  t.is((await collect(store))[0]?.ts, 3);
});

test.serial('a key column altered to unsigned under way blames no row', async (t) => {
  const { database, store, writer } = await setUp(t);
  const rows = batch([row({ ip: -1062731775 })]);
  await writer.upsert(rows);
  await db.query(`DELETE FROM ${database}.ServerCallStatus`);
  await db.query(`ALTER TABLE ${database}.ServerCallStatus MODIFY ip int unsigned NOT NULL`);
  const error = await rejection(t, writer.upsert(rows), 'retry');
  t.is(error.code, 'TABLE_CHANGED');
  await writer.upsert(rows);
  t.deepEqual(await collect(store), [...rows]);
});

test.serial('a table dropped under way is configuration, until it is there again', async (t) => {
  const { database, store, writer } = await setUp(t);
  await writer.upsert(service(1, 1, 1));
  await db.query(`RENAME TABLE ${database}.ServerCallStatus TO ${database}.Away`);
  await rejection(t, writer.upsert(service(1, 1, 2)), 'configuration');
  await rejection(t, writer.upsert(service(1, 1, 2)), 'configuration');
  await db.query(`RENAME TABLE ${database}.Away TO ${database}.ServerCallStatus`);
  await writer.upsert(service(1, 1, 3));
  t.is((await collect(store))[0]?.ts, 3);
});

test.serial('closing a writer whose server stands still takes no longer than connecting may', async (t) => {
  const { writer } = await setUp(t, { connectTimeoutMs: 500 });
  await writer.upsert(service(1, 1, 1));
  await db.pause();
  t.teardown(() => db.resume());
  const begun = performance.now();
  await writer.close();
  t.true(performance.now() - begun < 5_000);
});
