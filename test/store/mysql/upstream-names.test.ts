import test from 'ava';
import { openStore } from '../../../src/store/open.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const table = (database: string, name: string, column: string) =>
  db.query(
    `CREATE TABLE ${database}.${name} (id int unsigned NOT NULL AUTO_INCREMENT, ${column} int unsigned NOT NULL, ` +
      'content char(255) NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8',
  );

const namesIn = (url: string) => openStore(url).read!.names!();

test('names of the console of Lars are read: of a modid, of a cmdid, in any language, negative numbers too', async (t) => {
  const database = await makeDatabase(db);
  await table(database, 'ModIDConfig', 'modid');
  await table(database, 'CmdIDConfig', 'cmdid');
  await db.query(
    `INSERT INTO ${database}.ModIDConfig (modid, content) VALUES (4242, 'live'), (4294967295, '直播列表'), (7, ' '), (4242, 'live list')`,
  );
  await db.query(`INSERT INTO ${database}.CmdIDConfig (cmdid, content) VALUES (17, 'get')`);
  t.deepEqual(await namesIn(db.url(database)), {
    byModid: new Map([
      [4242, 'live list'],
      [-1, '直播列表'],
    ]),
    byCmdid: new Map([[17, 'get']]),
  });
});

test('without these tables there are no names, and nothing fails', async (t) => {
  const none = { byModid: new Map(), byCmdid: new Map() };
  const database = await makeDatabase(db);
  t.deepEqual(await namesIn(db.url(database)), none);

  await db.query(`CREATE TABLE ${database}.ModIDConfig (other int)`);
  await table(database, 'CmdIDConfig', 'cmdid');
  await db.query(`INSERT INTO ${database}.CmdIDConfig (cmdid, content) VALUES (17, 'get')`);
  t.deepEqual(await namesIn(db.url(database)), { ...none, byCmdid: new Map([[17, 'get']]) });

  await db.query("CREATE USER nameless@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${database}.ServerCallStatus TO nameless@'%'`);
  t.deepEqual(await namesIn(db.url(database).replace(/\/\/.*@/, '//nameless:x@')), none);
});

test('a server that is away is told apart from one without names', async (t) => {
  const error = await rejection(t, namesIn(db.url('lars_x').replace(`:${db.port}/`, ':1/')), 'retry');
  t.is(error.code, 'ECONNREFUSED');
});
