import test from 'ava';
import type { Finding } from '../../../src/model/finding.js';
import { diagnoseStore } from '../../../src/store/diagnosis.js';
import { migrateHistory } from '../../../src/store/migration.js';
import { judge } from '../../../src/store/mysql/server-diagnosis.js';
import type { ServerFacts } from '../../../src/store/mysql/server-facts.js';
import { openStore } from '../../../src/store/open.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { batch, row } from '../../support/rows.js';
import { LANE } from '../collect.js';
import { makeDatabase, rejection } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const NEEDS = { maxBatchRows: 1000, writers: 4, connectTimeoutMs: 5000, idleJournal: undefined };

const codesOf = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity !== 'ok').map(({ code, severity }) => `${severity} ${code}`);

test('a server as it comes from its package is fine, and its version and its table are told', async (t) => {
  const url = db.url(await makeDatabase(db));
  const findings = await diagnoseStore(url, NEEDS);
  t.deepEqual(codesOf(findings), []);
  const texts = findings.map(({ text }) => text).join('\n');
  t.regex(texts, /\d+\.\d+\.\d+.*a round trip takes \d+\.\d ms/);
  t.regex(texts, /ServerCallStatus is fine, about 0 rows/);
});

test('what people change and forget is found: a double key, a lost right, durability that is switched off', async (t) => {
  const database = await makeDatabase(db, 'ADD INDEX mlb_index (modid, cmdid, ip, port, caller)');
  await db.query("CREATE USER plain@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${database}.ServerCallStatus TO plain@'%'`);
  const url = db.url(database).replace(/\/\/.*@/, '//plain:x@');
  t.deepEqual(codesOf(await diagnoseStore(url, NEEDS)), ['notice double-key', 'notice no-delete']);
});

test('what keeps the store from being used is critical where a person must act, and a warning where it may pass', async (t) => {
  const url = db.url(await makeDatabase(db, 'DROP PRIMARY KEY'));
  const [finding] = await diagnoseStore(url, NEEDS);
  t.like(finding, { code: 'store-unusable', severity: 'critical' });
  t.regex(finding!.text, /no primary key/);
  const away = await diagnoseStore(url.replace(`:${db.port}/`, ':1/'), NEEDS);
  t.deepEqual(codesOf(away), ['warning store-away']);
});

test('a reporter elsewhere that works with a copy of the journal is found', async (t) => {
  const url = db.url(await makeDatabase(db));
  const writer = openStore(url).writer({ ...LANE, partition: 0, journalId: t.title });
  t.teardown(() => writer.close());
  await writer.upsert(batch([row()]));
  t.deepEqual(codesOf(await diagnoseStore(url, { ...NEEDS, idleJournal: t.title })), [
    'warning journal-copied',
  ]);
  t.deepEqual(codesOf(await diagnoseStore(url, { ...NEEDS, idleJournal: 'another one' })), []);
});

test('a copy whose reporter has stored rows of one partition alone is found, whichever that is', async (t) => {
  const url = db.url(await makeDatabase(db));
  const writer = openStore(url).writer({ ...LANE, partition: 900, journalId: t.title });
  t.teardown(() => writer.close());
  await writer.upsert(batch([row()]));
  t.deepEqual(codesOf(await diagnoseStore(url, { ...NEEDS, idleJournal: t.title })), [
    'warning journal-copied',
  ]);
});

test('a table of incidents that this user may not write is told; none, and one it may write, are fine', async (t) => {
  const database = await makeDatabase(db);
  const url = db.url(database).replace(/\/\/.*@/, '//clerk:x@');
  const of = async () =>
    (await diagnoseStore(url, NEEDS))
      .filter(({ code }) => code.startsWith('incidents'))
      .map(({ text }) => text);
  await db.query("CREATE USER clerk@'%' IDENTIFIED BY 'x'");
  await db.query(`GRANT SELECT, INSERT, UPDATE ON ${database}.ServerCallStatus TO clerk@'%'`);
  t.regex((await of()).join(), /^incidents are not copied: there is no table/);
  const refused = await rejection(t, migrateHistory(url), 'configuration');
  t.regex(refused.message, /may not create it: .*server_call_incident\.sql/);
  await migrateHistory(db.url(database));
  await db.query(`GRANT SELECT, INSERT ON ${database}.ServerCallIncident TO clerk@'%'`);
  t.regex((await of()).join(), /cannot be copied into it: .*UPDATE.* denied/);
  await db.query(`GRANT UPDATE ON ${database}.ServerCallIncident TO clerk@'%'`);
  t.deepEqual(await of(), ['incidents are copied into ServerCallIncident']);
  t.deepEqual(await db.query(`SELECT * FROM ${database}.ServerCallIncident`), []);
});

test('an embedded store that is something else is critical', async (t) => {
  t.deepEqual(codesOf(await diagnoseStore('embedded:/dev/null', NEEDS)), ['critical store-unusable']);
  t.deepEqual(codesOf(await diagnoseStore('nonsense://x', NEEDS)), ['critical store-unusable']);
});

const VARIABLES = {
  ...{
    version: '10.11.6-MariaDB',
    version_comment: 'Debian',
    read_only: 'OFF',
    log_bin: 'ON',
    sync_binlog: '1',
  },
  ...{ max_allowed_packet: '16777216', wait_timeout: '28800', max_connections: '151' },
  ...{ max_user_connections: '0', innodb_flush_log_at_trx_commit: '1', wsrep_on: 'OFF' },
};
const FACTS: Omit<ServerFacts, 'variables'> = {
  ...{
    connected: 10,
    roundTripMs: 1,
    clockAheadS: 0,
    rows: 1,
    tableBytes: 1,
    doubleKeys: [],
    mayDelete: true,
  },
  names: 0,
  incidents: 'no-table',
};

for (const [change, variables, expected] of [
  [{}, {}, []],
  [{ roundTripMs: 80 }, {}, ['notice server-far']],
  [{ clockAheadS: -7 }, {}, ['warning database-clock']],
  [{ connected: 146 }, {}, ['warning few-connections']],
  [{ rows: 6_000_000 }, {}, ['notice many-rows']],
  [{}, { wsrep_on: 'ON' }, ['warning several-primaries']],
  [{}, { group_replication_single_primary_mode: 'OFF' }, ['warning several-primaries']],
  [{}, { read_only: 'ON' }, ['warning read-only']],
  [{}, { innodb_flush_log_at_trx_commit: '2' }, ['warning database-durability']],
  [{}, { sync_binlog: '0' }, ['notice binlog-durability']],
  [{}, { sync_binlog: '0', log_bin: 'OFF' }, []],
  [{}, { max_allowed_packet: '65536' }, ['notice small-packets']],
  [{}, { wait_timeout: '10' }, ['notice short-wait-timeout']],
  [{}, { max_user_connections: '4' }, ['warning few-user-connections']],
] as const)
  test(`a server with ${JSON.stringify({ ...change, ...variables })}: ${expected.join(', ') || 'nothing'}`, (t) => {
    const all = new Map<string, string>(Object.entries({ ...VARIABLES, ...variables }));
    t.deepEqual(codesOf(judge({ ...FACTS, ...change, variables: all }, NEEDS)), [...expected]);
  });
