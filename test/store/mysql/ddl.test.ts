import path from 'node:path';
import test from 'ava';
import { migrate } from '../../../src/store/migration.js';
import { openStore } from '../../../src/store/open.js';
import { type DatabaseServer, startServer, USER } from '../../../tools/shared/database-server.js';
import { serverProgram } from '../../../tools/shared/server-program.js';
import { batch, row } from '../../support/rows.js';
import { tempDir } from '../../support/temp.js';
import { LANE } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

test('migrate makes the table of the contract, once', async (t) => {
  await db.query('CREATE DATABASE lars_fresh');
  t.is(await migrate(db.url('lars_fresh')), 'created');
  t.is(await migrate(db.url('lars_fresh')), 'unchanged');
  await openStore(db.url('lars_fresh')).open();

  const columns = await db.query('SHOW COLUMNS FROM lars_fresh.ServerCallStatus');
  const int = (name: string) => [name, 'int', 'NO'];
  t.deepEqual(
    // MySQL 8 shows integers without a width.
    columns.map(({ Field, Type, Null }) => [Field, String(Type).replace(/(?<=int)\(\d+\)/, ''), Null]),
    [
      ...['modid', 'cmdid', 'ip', 'port', 'caller', 'succ_cnt', 'err_cnt'].map(int),
      ['ts', 'bigint', 'NO'],
      ['overload', 'char(1)', 'NO'],
    ],
  );
  const keys = await db.query('SHOW INDEX FROM lars_fresh.ServerCallStatus');
  t.deepEqual(
    keys.map(({ Key_name, Column_name }) => `${Key_name} ${Column_name}`),
    ['modid', 'cmdid', 'ip', 'port', 'caller'].map((column) => `PRIMARY ${column}`),
  );
});

test('migrate makes an embedded store, once', async (t) => {
  const url = `embedded:${path.join(tempDir(t), 'store')}`;
  t.is(await migrate(url), 'created');
  t.is(await migrate(url), 'unchanged');
});

/** Those without transactions that the server has built in. */
const ENGINES =
  serverProgram().flavour === 'mysql' ? ['MEMORY', 'MyISAM', 'BLACKHOLE'] : ['MEMORY', 'MyISAM', 'Aria'];

const refused: [what: string, alter: string, says: RegExp][] = [
  [
    'without a primary key',
    'DROP PRIMARY KEY',
    /no primary key, needed is \(modid, cmdid, ip, port, caller\)/,
  ],
  [
    'with a narrower primary key',
    'DROP PRIMARY KEY, ADD PRIMARY KEY (modid, cmdid, ip, port)',
    /primary key is \(modid, cmdid, ip, port\)/,
  ],
  [
    'with a wider primary key',
    'DROP PRIMARY KEY, ADD PRIMARY KEY (modid, cmdid, ip, port, caller, ts)',
    /primary key is \(.*, ts\)/,
  ],
  ['with a further unique key', 'ADD UNIQUE KEY host (ip, port)', /unique key host \(ip, port\)/],
  ['without a column', 'DROP COLUMN err_cnt', /column err_cnt \(int NOT NULL\) is missing/],
  [
    'whose key column is too small',
    'MODIFY port smallint NOT NULL',
    /column port is smallint.*needed is int or int unsigned/,
  ],
  ...['modid', 'cmdid', 'ip', 'port', 'caller'].map((column): [string, string, RegExp] => [
    `whose key column ${column} could hold a key in two ways`,
    `MODIFY ${column} bigint NOT NULL`,
    new RegExp(`column ${column} is bigint.*needed is int or int unsigned`),
  ]),
  ...ENGINES.map((engine): [string, string, RegExp] => [
    `of the engine ${engine}`,
    `ENGINE=${engine} COMMENT='ENGINE=InnoDB'`,
    new RegExp(`its engine is ${engine}, which has no transactions`),
  ]),
  ['whose clock ends in 2038', 'MODIFY ts int NOT NULL', /column ts is int.*needed is bigint/],
  [
    'whose flag is a number',
    'MODIFY overload tinyint NOT NULL',
    /column overload is tinyint.*needed is char\(1\)/,
  ],
  [
    'with a generated column in place of one of ours',
    'DROP COLUMN succ_cnt, ADD succ_cnt int AS (err_cnt) STORED',
    /succ_cnt is generated/,
  ],
  [
    'with a further column no row could fill',
    'ADD zone int NOT NULL',
    /further column zone is NOT NULL without a default/,
  ],
];

for (const [what, alter, says] of refused)
  test(`a table ${what} is refused by open, check, migrate and writers, which say so`, async (t) => {
    const url = db.url(await makeDatabase(db, alter));
    const store = openStore(url);
    for (const attempt of [
      () => store.open(),
      () => store.check(),
      () => migrate(url),
      () => store.writer(LANE).upsert(batch([row()])),
    ]) {
      const error = await rejection(t, attempt(), 'configuration');
      t.regex(error.message, says);
      t.false(error.maybeApplied);
    }
  });

test('all that is wrong with a table is said at once', async (t) => {
  const name = await makeDatabase(db, 'DROP PRIMARY KEY, DROP COLUMN ts, ADD UNIQUE (modid)');
  const { message } = await rejection(t, openStore(db.url(name)).open(), 'configuration');
  for (const says of [/column ts .* missing/, /no primary key/, /unique key modid/]) t.regex(message, says);
});

const accepted: [what: string, alter: string][] = [
  [
    'whose primary key has the columns in another order',
    'DROP PRIMARY KEY, ADD PRIMARY KEY (caller, ip, port, cmdid, modid)',
  ],
  ['with the redundant mlb_index', 'ADD INDEX mlb_index (modid, cmdid, ip, port, caller)'],
  [
    'with a unique key that contains the primary key',
    'ADD UNIQUE KEY wide (modid, cmdid, ip, port, caller, ts)',
  ],
  [
    'with further columns that fill themselves',
    'ADD a int, ADD b int NOT NULL DEFAULT 1, ADD c int AS (a + 1) STORED',
  ],
  [
    'of wider types',
    'MODIFY succ_cnt bigint NOT NULL, MODIFY ts int unsigned NOT NULL, MODIFY overload varchar(5) NOT NULL',
  ],
  ['that is partitioned', 'PARTITION BY KEY (modid) PARTITIONS 3'],
  ['one of whose columns counts up by itself', 'MODIFY ip int NOT NULL AUTO_INCREMENT, ADD INDEX (ip)'],
];

for (const [what, alter] of accepted)
  test(`a table ${what} is used as it is`, async (t) => {
    const url = db.url(await makeDatabase(db, alter));
    t.is(await migrate(url), 'unchanged');
    const store = openStore(url);
    await store.open();
    const writer = store.writer({ ...LANE, journalId: t.title });
    await writer.upsert(batch([row({ ts: 1 }), row({ ip: 9 })]));
    await writer.upsert(batch([row({ ts: 2 })]));
    await writer.close();
    const rows = [];
    for await (const each of store.read!.rows()) rows.push(each);
    t.deepEqual(rows, [row({ ts: 2 }), row({ ip: 9 })]);
  });

test('a wrong password, an unknown database and a missing table are configuration, and no secret is told', async (t) => {
  await db.query('CREATE DATABASE lars_empty');
  const url = new URL(db.url('lars_empty'));
  const attempts: [url: string, code: string][] = [
    [String(Object.assign(new URL(url), { password: 'wrong-secret' })), 'ER_ACCESS_DENIED_ERROR'],
    [String(Object.assign(new URL(url), { pathname: '/lars_unknown' })), 'ER_BAD_DB_ERROR'],
    [String(Object.assign(new URL(url), { pathname: '/mysql' })), 'ER_DBACCESS_DENIED_ERROR'],
    [String(url), 'ER_NO_SUCH_TABLE'],
  ];
  for (const [attempt, code] of attempts) {
    const error = await rejection(t, openStore(attempt).open(), 'configuration');
    t.is(error.code, code);
    t.false(error.message.includes('secret'));
    t.false(error.message.includes(decodeURIComponent(url.password)));
  }
});

test('a user who may read but not write is refused, and may read', async (t) => {
  const name = await makeDatabase(db);
  await db.query("CREATE USER reader@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT ON ${name}.* TO reader@'%'`);
  const store = openStore(db.url(name).replace(/\/\/.*@/, '//reader:x@'));
  t.is((await rejection(t, store.open(), 'configuration')).code, 'ER_TABLEACCESS_DENIED_ERROR');
  for await (const _ of store.read!.rows()) t.fail();
});

test('the rights the schema guide names are enough', async (t) => {
  const name = await makeDatabase(db);
  await db.query("CREATE USER least@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${name}.ServerCallStatus TO least@'%'`);
  const store = openStore(db.url(name).replace(/\/\/.*@/, '//least:x@'));
  await store.open();
  const writer = store.writer({ ...LANE, journalId: t.title });
  await writer.upsert(batch([row()]));
  await writer.upsert(batch([row()]));
  await writer.close();
  t.not(USER, 'least');
});

test('migrate says which right is missing, and how else the table comes to be', async (t) => {
  const name = `lars_${Math.random().toString(36).slice(2, 8)}`;
  await db.query(`CREATE DATABASE ${name}`);
  await db.query("CREATE USER bare@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${name}.* TO bare@'%'`);
  const error = await rejection(t, migrate(db.url(name).replace(/\/\/.*@/, '//bare:x@')), 'configuration');
  t.regex(
    error.message,
    /may not create it: GRANT CREATE .* schema\/server_call_status\.sql \(CREATE command denied/,
  );
  t.notRegex(error.message, /SELECT/, 'that right it has');
});

test('a server that is not there is retry', async (t) => {
  const url = db.url('lars_x').replace(`:${db.port}/`, ':1/');
  for (const attempt of [openStore(url).open(), migrate(url)]) {
    const error = await rejection(t, attempt, 'retry');
    t.is(error.code, 'ECONNREFUSED');
    t.false(error.maybeApplied);
  }
});
