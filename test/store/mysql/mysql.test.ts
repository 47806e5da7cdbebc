import test, { type ExecutionContext } from 'ava';
import type { StoreLane } from '../../../src/store/contract.js';
import { migrate } from '../../../src/store/migration.js';
import { openStore } from '../../../src/store/open.js';
import { storeContract } from '../../../src/testing/index.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { batch, row } from '../../support/rows.js';
import { collect, LANE } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

/** A journal of its own for each store: the tests share a server, and one journal is one running reporter. */
const fresh =
  (...alter: readonly string[]) =>
  async (t: ExecutionContext) => {
    const url = db.url(await makeDatabase(db, ...alter));
    const store = () => {
      const opened = openStore(url);
      return { ...opened, writer: (lane: StoreLane) => opened.writer({ ...lane, journalId: t.title }) };
    };
    return { store };
  };

storeContract(test, fresh(), { name: 'mysql, int columns' });

storeContract(
  test,
  fresh(
    'MODIFY ip int(11) unsigned NOT NULL, MODIFY port int unsigned NOT NULL, MODIFY caller int unsigned NOT NULL',
  ),
  { name: 'mysql, int unsigned columns', unsigned: ['ip', 'port', 'caller'] },
);

storeContract(
  test,
  fresh(
    'ADD INDEX mlb_index (modid, cmdid, ip, port, caller)',
    'MODIFY caller bigint unsigned NOT NULL, MODIFY succ_cnt bigint NOT NULL, MODIFY overload char(3) NOT NULL',
    "ADD updated timestamp NOT NULL DEFAULT current_timestamp(), ADD note varchar(9) NOT NULL DEFAULT ''",
  ),
  { name: 'mysql, the deployed table with mlb_index, wider and further columns', unsigned: ['caller'] },
);

test('an unsigned column holds the 32 bits as the address people know', async (t) => {
  const name = await makeDatabase(db, 'MODIFY ip int unsigned NOT NULL');
  const store = openStore(db.url(name));
  const writer = store.writer({ ...LANE, journalId: t.title });
  await writer.upsert(batch([row({ ip: -1062731775, caller: -1062731774 })]));
  await writer.close();
  const [stored] =
    await db.query(`SELECT ip, caller, INET_NTOA(ip & 0xffffffff) a, INET_NTOA(caller & 0xffffffff) b
    FROM ${name}.ServerCallStatus`);
  t.deepEqual({ ...stored }, { ip: 3232235521, caller: -1062731774, a: '192.168.0.1', b: '192.168.0.2' });
});

test('time-outs may change while a store is used: a session that was prepared for another one is ended before the next begins', async (t) => {
  const name = await makeDatabase(db);
  const live = { url: db.url(name), queryTimeoutMs: 20_000, connectTimeoutMs: 5000 };
  const store = openStore(db.url(name), { live });
  const writer = store.writer({ ...LANE, journalId: t.title });
  const sessions = async () => {
    const found = await db.query(
      `SELECT id FROM information_schema.processlist WHERE db = '${name}' AND command = 'Sleep'`,
    );
    return found.map(({ id }) => Number(id));
  };
  await writer.upsert(batch([row({ succ: 1 })]));
  const before = await sessions();
  t.is(before.length, 1);
  await writer.upsert(batch([row({ succ: 2 })]));
  t.deepEqual(await sessions(), before);
  live.queryTimeoutMs = 2000;
  await writer.upsert(batch([row({ succ: 3 })]));
  const after = await sessions();
  t.is(after.length, 1);
  t.notDeepEqual(after, before);
  // The server gives up a locked row before the statement is given up.
  const other = await db.session(name);
  await other.query('BEGIN');
  await other.query('UPDATE ServerCallStatus SET err_cnt = 7');
  const { code } = await rejection(t, writer.upsert(batch([row({ succ: 4 })])), 'retry');
  t.is(code, 'ER_LOCK_WAIT_TIMEOUT');
  t.true((await sessions()).includes(after[0]!), 'its session goes on');
  await other.query('ROLLBACK');
  await other.end();
  await writer.close();
});

test('rows are stored on a server whose sessions begin without autocommit and strict mode', async (t) => {
  const lax = await startServer({ args: ['--autocommit=0', '--sql-mode='] });
  t.teardown(() => lax.destroy());
  await lax.query('CREATE DATABASE lars');
  await migrate(lax.url('lars'));
  const store = openStore(lax.url('lars'));
  const writer = store.writer(LANE);
  await writer.upsert(batch([row()]));
  t.deepEqual(await collect(store), [row()]);
  await lax.query('ALTER TABLE lars.ServerCallStatus MODIFY succ_cnt int NOT NULL CHECK (succ_cnt < 100)');
  const { code } = await rejection(t, writer.upsert(batch([row({ succ: 100 })])), 'poison');
  t.is(code, lax.flavour === 'mysql' ? 'ER_CHECK_CONSTRAINT_VIOLATED' : 'ER_CONSTRAINT_FAILED');
  await writer.close();
});
