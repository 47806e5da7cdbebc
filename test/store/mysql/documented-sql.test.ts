import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parseIpv4 } from '../../../src/model/ipv4.js';
import { openStore } from '../../../src/store/open.js';
import { type DatabaseServer, startServer } from '../../../tools/shared/database-server.js';
import { batch, row } from '../../support/rows.js';
import { LANE } from '../collect.js';
import { makeDatabase } from '../databases.js';

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
});
test.after.always(() => db?.destroy());

const PAGE = fileURLToPath(new URL('../../../../docs/operations.md', import.meta.url));
const STATEMENTS = [...readFileSync(PAGE, 'utf8').matchAll(/```sql\n([\s\S]*?);\n```/g)].map(
  ([, statement = '']) => statement.replaceAll('ServerCallStatus', 'DATABASE.ServerCallStatus'),
);

const now = () => Math.floor(Date.now() / 1000);
const host = parseIpv4('192.168.0.1')!;

for (const [signs, alter] of [
  ['signed', []],
  ['unsigned', ['MODIFY ip int unsigned NOT NULL, MODIFY caller int unsigned NOT NULL']],
] as const)
  test(`the SQL of docs/operations.md tells what it says it tells (${signs} columns)`, async (t) => {
    const database = await makeDatabase(db, ...alter);
    const writer = openStore(db.url(database)).writer({ ...LANE, journalId: t.title });
    t.teardown(() => writer.close());
    const ofHost = { modid: 4242, cmdid: 17, ip: host, port: 80 };
    await writer.upsert(
      batch([
        row({ ...ofHost, caller: -1, overload: true, ts: now() }),
        row({ ...ofHost, caller: 2, overload: false, ts: now() }),
        row({ ...ofHost, caller: 3, overload: true, ts: now() - 40 * 86_400 }),
        row({ ...ofHost, ip: 7, caller: 2, overload: false, ts: now() }),
      ]),
    );
    const run = (statement: string) => db.query(statement.replaceAll('DATABASE', database));
    t.is(STATEMENTS.length, 3);
    const [overloaded, ofService, silent] = await Promise.all(STATEMENTS.map(run));
    t.is(overloaded!.length, 1, 'the other host is not held for overloaded');
    t.like(overloaded![0], { host: '192.168.0.1', port: 80, any_says_so: '1' });
    t.deepEqual([Number(overloaded![0]!['say_so']), Number(overloaded![0]!['callers'])], [1, 2]);
    t.is(ofService!.length, 3);
    t.deepEqual(ofService!.map((one) => one['caller']).sort(), ['0.0.0.2', '0.0.0.2', '255.255.255.255']);
    t.is(silent!.length, 1);
    t.is(Number(silent![0]!['silent_rows']), 1);
  });
