import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { encodeReportFrame } from '../../../src/client/encode.js';
import { connectAgent } from '../../../src/client/index.js';
import { type Bench, type Case, expectBalanced, expectSame, quantile, WrongResult } from '../case.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';

/** A fifth of what U reaches on two cores. */
const ROWS_PER_SECOND = 40_000;
/** A service of its own, and one for the reference. */
const [PROBE, BARE] = [2_000_000, 2_000_001];

/**
 * L: from an agent's write until the row can be read in MariaDB, while others report. Each time another key: one that
 * was stored within `writers.rewriteMs` waits for that, see D.
 */
export const latency: Case = {
  id: 'L',
  maxRounds: 3,
  lines: [
    {
      id: 'L p50',
      title: `latency from write to visible row of a new key at ${ROWS_PER_SECOND / 1000},000 rows/s, median`,
      unit: 'ms',
      reference: 'round trip of a bare one-row upsert, at the same time',
      target: { of: 'measured', atMost: 25 },
    },
    {
      id: 'L p99',
      title: 'the same, 99th percentile',
      unit: 'ms',
      reference: 'its 99th percentile',
      target: { of: 'measured', atMost: 100 },
    },
  ],
  async round(bench) {
    const { through, bare } = await latenciesOf(bench);
    return [
      { line: 'L p50', measured: quantile(through, 0.5), reference: quantile(bare, 0.5) },
      { line: 'L p99', measured: quantile(through, 0.99), reference: quantile(bare, 0.99) },
    ];
  },
};

export interface Latencies {
  /** Milliseconds, of each sample. */
  readonly through: readonly number[];
  readonly bare: readonly number[];
  /** Longest turn of the reporter's main thread meanwhile, in milliseconds. */
  readonly longestTurnMs: number;
}

/** `open`: given the port of the admin HTTP, opens what is to be open meanwhile; resolves to what closes it. */
export function latenciesOf(
  bench: Bench,
  open: (adminPort: number) => Promise<() => void> = async () => () => {},
): Promise<Latencies> {
  return bench.withTable(({ name, url }) =>
    bench.withProcesses({ url }, async ({ reporter, load, port }) => {
      const shape: Shape = { agents: 10, services: bench.size(5000, 100), hosts: 10 };
      await load.call('connect', { port, connections: shape.agents });
      await load.call('prepare', { shape, version: 1 });
      const database = await mysql.createConnection(url);
      const agent = await connectAgent({ host: '127.0.0.1', port, maxBufferedBytes: 65_536 });
      await load.call('pace', { rowsPerSecond: ROWS_PER_SECOND });
      const close = await open(await reporter.call('adminPort'));
      await sleep(bench.size(1000, 100));
      const through: number[] = [];
      const bare: number[] = [];
      const samples = bench.size(400, 10);
      await reporter.call('longestTurn', 'start');
      for (let succ = 1; succ <= samples; succ++) {
        const results = [{ ip: succ, port: 1, succ, err: 0, overload: false }];
        const frame = encodeReportFrame({ modid: PROBE, cmdid: 1, caller: 1, ts: 1, results });
        const began = performance.now();
        await agent.sendBytes(frame);
        while (!(await isStored(database, succ))) if (performance.now() > began + 10_000) break;
        through.push(performance.now() - began);
        const upsertBegan = performance.now();
        await database.query(
          `INSERT INTO ServerCallStatus VALUES (${BARE},1,1,1,1,${succ},0,1,'0') ON DUPLICATE KEY UPDATE succ_cnt=VALUES(succ_cnt)`,
        );
        bare.push(performance.now() - upsertBegan);
        // Not in step with anything.
        await sleep(5 + Math.random() * 15);
      }
      const longestTurnMs = await reporter.call('longestTurn', 'stop');
      close();
      const stored = await probesIn(database);
      if (stored !== samples) throw new WrongResult(`${stored} probes are stored, not ${samples}`);
      const sent = await load.call('stop');
      await load.call('prepare', { shape, version: 2 });
      await load.call('sendAll');
      const total = sent + keysOf(shape) + samples;
      await reporter.call('until', { count: 'received', is: total, boundMs: 60_000 });
      await reporter.call('until', { count: 'pending', is: 0, boundMs: 60_000 });
      await expectBalanced(reporter, total);
      await database.query(`DELETE FROM ServerCallStatus WHERE modid IN (${PROBE}, ${BARE})`);
      expectSame('the table', await bench.digest(name), digestOf(rowsOf(shape, 2)));
      await agent.close();
      await database.end();
      return { through, bare, longestTurnMs };
    }),
  );
}

async function isStored(database: mysql.Connection, succ: number): Promise<boolean> {
  const [rows] = await database.query<mysql.RowDataPacket[]>(
    `SELECT succ_cnt FROM ServerCallStatus WHERE modid=${PROBE} AND cmdid=1 AND ip=${succ} AND port=1 AND caller=1`,
  );
  return rows[0]?.['succ_cnt'] === succ;
}

async function probesIn(database: mysql.Connection): Promise<number> {
  const [rows] = await database.query<mysql.RowDataPacket[]>(
    `SELECT COUNT(*) n FROM ServerCallStatus WHERE modid=${PROBE}`,
  );
  return Number(rows[0]?.['n']);
}
