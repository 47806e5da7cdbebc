import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import test from 'ava';
import { openStore } from '../../src/store/open.js';
import { seeded, until } from '../../src/testing/index.js';
import { type DatabaseServer, startServer } from '../../tools/shared/database-server.js';
import { startServe } from '../../tools/shared/process.js';
import { createTable, readAll } from '../../tools/shared/tables.js';
import { tempDir } from '../support/temp.js';

interface ExpectedRow {
  modid: number;
  cmdid: number;
  ip: number;
  port: number;
  caller: number;
  succ_cnt: number;
  err_cnt: number;
  ts: number;
  overload: '0' | '1';
}

const fixture = (name: string) => readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url));
const STREAM = Buffer.concat([fixture('agent.bin'), fixture('report-client.bin')]);

const clientRow = (ip: number, port: number, overload: '0' | '1'): ExpectedRow => ({
  ...{ modid: 2, cmdid: 1, ip, port, caller: 123 },
  ...{ succ_cnt: 100, err_cnt: 3, ts: 1_795_331_890, overload },
});
/** What the table holds after both streams; ip and caller unsigned. */
const EXPECTED: ExpectedRow[] = [
  ...(JSON.parse(fixture('agent.expected.json').toString()) as ExpectedRow[]),
  ...[clientRow(1, 1, '0'), clientRow(2, 4, '0'), clientRow(3, 9, '1')],
];

const byKey = (a: ExpectedRow, b: ExpectedRow) =>
  a.modid - b.modid || a.cmdid - b.cmdid || a.ip - b.ip || a.port - b.port || a.caller - b.caller;

/** Ways a stream may reach us. */
const cuts: Record<string, (random: () => number) => Buffer[]> = {
  'in one write': () => [STREAM],
  'in single bytes': () => [...STREAM].map((byte) => Buffer.of(byte)),
  'cut at random places': (random) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < STREAM.length; ) {
      const to = at + 1 + Math.floor(random() * 200);
      pieces.push(STREAM.subarray(at, to));
      at = to;
    }
    return pieces;
  },
};

/** Sends the pieces one by one; the socket hands each to the system by itself. */
async function feed(port: number, pieces: readonly Buffer[]): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  await new Promise<void>((resolve) => socket.end(resolve));
  socket.destroy();
}

let server: DatabaseServer;
test.before(async () => {
  server = await startServer();
});
test.after.always(() => server?.destroy());

let databases = 0;
const tables = {
  embedded: async (dir: string) => `embedded:${dir}/store`,
  'database, signed table': async () => {
    const database = `lars_flow_${++databases}`;
    await createTable(server, database, 'signed');
    return server.url(database);
  },
  'database, unsigned table': async () => {
    const database = `lars_flow_${++databases}`;
    await createTable(server, database, 'unsigned');
    return server.url(database);
  },
};

for (const [table, prepare] of Object.entries(tables)) {
  for (const [cut, cutting] of Object.entries(cuts)) {
    test.serial(`what real agents sent stands in the table: ${table}, ${cut}`, async (t) => {
      const dir = tempDir(t);
      const url = await prepare(dir);
      const env = {
        LARS_STORE_URL: url,
        LARS_JOURNAL_DIR: `${dir}/journal`,
        LARS_LISTEN_HOST: '127.0.0.1',
        LARS_LISTEN_PORT: '0',
        LARS_ADMIN_PORT: '0',
      };
      const { cli, ready } = await startServe([], { env, cwd: dir });
      t.teardown(() => cli.child.kill('SIGKILL'));
      await feed(ready.listen.port, cutting(seeded(databases + 1)));

      const store = openStore(url);
      await store.open();
      t.teardown(() => store.close());
      const stored = async () => {
        const rows = await readAll(store);
        return rows
          .map(
            (row): ExpectedRow => ({
              ...{
                modid: row.modid,
                cmdid: row.cmdid,
                ip: row.ip >>> 0,
                port: row.port,
                caller: row.caller >>> 0,
              },
              ...{ succ_cnt: row.succ, err_cnt: row.err, ts: row.ts, overload: row.overload ? '1' : '0' },
            }),
          )
          .sort(byKey);
      };
      const expected = EXPECTED.toSorted(byKey);
      await until(async () => JSON.stringify(await stored()) === JSON.stringify(expected), {
        boundMs: 20_000,
        what: 'the table to hold what was sent',
      }).catch(() => {});
      t.deepEqual(await stored(), expected);

      const ended = await cli.stop();
      t.is(ended.code, 0, ended.stderr);
    });
  }
}

test.serial('a signed table shows the 32 bits of an address signed, an unsigned one unsigned', async (t) => {
  const seen = await Promise.all(
    [`lars_flow_1`, `lars_flow_4`].map((database) =>
      server.query(`SELECT MIN(ip) AS low, MAX(ip) AS high FROM ${database}.ServerCallStatus`),
    ),
  );
  t.deepEqual(
    seen.map(([row]) => Number(row?.['low']) < 0),
    [true, false],
  );
  t.deepEqual(
    seen.map(([row]) => Number(row?.['high']) > 0x7fffffff),
    [false, true],
  );
});
