import test from 'ava';
import { openStore } from '../../src/store/open.js';
import { until } from '../../src/testing/until.js';
import { type DatabaseServer, PASSWORD, startServer } from '../../tools/shared/database-server.js';
import { makeDatabase, rejection } from '../store/databases.js';
import { service } from '../support/rows.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const WRITERS = 4;

test.serial(
  'a password that is changed: four writers that try again do not get their account blocked',
  async (t) => {
    const database = await makeDatabase(db);
    await db.query(
      `CREATE USER four@'%' IDENTIFIED BY '${PASSWORD}' FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME 1`,
    );
    await db.query(`GRANT ALL ON ${database}.* TO four@'%'`);
    const store = openStore(db.url(database).replace('//lars:', '//four:'));
    const writers = Array.from({ length: WRITERS }, (_, partition) =>
      store.writer({ partition, partitions: WRITERS, journalId: t.title }),
    );
    t.teardown(() => Promise.all(writers.map((writer) => writer.close())));
    const storeAll = (ts: number) =>
      Promise.allSettled(writers.map((writer, index) => writer.upsert(service(index, 1, ts))));
    t.true((await storeAll(1)).every(({ status }) => status === 'fulfilled'));

    await db.query("ALTER USER four@'%' IDENTIFIED BY 'another'");
    const sessions = await db.query(
      "SELECT id AS session FROM information_schema.processlist WHERE user = 'four'",
    );
    for (const { session } of sessions) await db.query(`KILL ${session}`);
    // Each writer tries about as often as in half a minute.
    for (let attempt = 0; attempt < 10; attempt++) await storeAll(2);
    const error = await rejection(t, writers[0]!.upsert(service(0, 1, 2)), 'configuration');
    t.is(error.code, 'ER_ACCESS_DENIED_ERROR');
    t.regex(error.message, /the next login is tried in \d+ s/);

    await db.query(`ALTER USER four@'%' IDENTIFIED BY '${PASSWORD}'`);
    await until(async () => (await storeAll(3)).every(({ status }) => status === 'fulfilled'), {
      boundMs: 30_000,
      what: 'the account to be used again',
    });
  },
);

test.serial('an account that is blocked is said to be, with what to do', async (t) => {
  const database = await makeDatabase(db);
  await db.query("CREATE USER once@'%' IDENTIFIED BY 'right' FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1");
  const store = openStore(db.url(database).replace(/\/\/.*@/, '//once:wrong@'));
  const first = await rejection(t, store.check(), 'configuration');
  const second = await rejection(t, store.check(), 'configuration');
  t.true(
    [first, second].some(
      ({ code }) => code === 'ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK',
    ),
  );
  t.regex(second.message, /ACCOUNT UNLOCK/);
});

test.serial('a server that takes encrypted connections only is named as such', async (t) => {
  const database = await makeDatabase(db);
  const store = openStore(db.url(database));
  await db.query('SET GLOBAL require_secure_transport = ON');
  t.teardown(async () => void (await db.query('SET GLOBAL require_secure_transport = OFF')));
  const error = await rejection(t, store.check(), 'configuration');
  t.regex(error.message, /encrypted connections only/);
});

test.serial('a server in offline mode is tried again slowly, and no row is blamed', async (t) => {
  const database = await makeDatabase(db);
  const store = openStore(db.url(database));
  const writer = store.writer({ partition: 0, partitions: 1, journalId: t.title });
  t.teardown(() => writer.close());
  await writer.upsert(service(1, 1, 1));
  await db.query('SET GLOBAL offline_mode = ON');
  t.teardown(async () => void (await db.query('SET GLOBAL offline_mode = OFF')));
  await t.throwsAsync(writer.upsert(service(1, 1, 2)));
  const error = await rejection(t, writer.upsert(service(1, 1, 2)), 'retry-slowly');
  t.false(error.mayBeOneRow);
  await db.query('SET GLOBAL offline_mode = OFF');
  await writer.upsert(service(1, 1, 3));
});
