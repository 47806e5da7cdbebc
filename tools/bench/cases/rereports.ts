import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { encodeReportFrame } from '../../../src/client/encode.js';
import { connectAgent } from '../../../src/client/index.js';
import { parseConfig } from '../../../src/config/index.js';
import {
  type Bench,
  type BenchTls,
  type Case,
  expectBalanced,
  expectSame,
  type Measurement,
  type Processes,
  quantile,
} from '../case.js';
import type { LoadApi } from '../processes/load.js';
import type { SinkApi } from '../processes/sink.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const CONNECTIONS = 10;
const SHAPE: Shape = { agents: CONNECTIONS, services: 1000, hosts: 10, shared: true };

/** H: the same 10,000 keys again and again, as fast as TCP takes them. */
export const rereports: Case = {
  id: 'H',
  lines: [
    {
      id: 'H',
      title: 're-reports of 1,000 services × 10 hosts: received, journaled, coalesced',
      unit: 'rows/s',
      reference: 'sink: the same sockets, frames and decoder; rows are dropped',
      target: { of: 'ratio', atLeast: 0.45 },
    },
  ],
  async round(bench) {
    const { rowsPerSecond, cpuMicrosPerRow } = await throughReporter(bench);
    const sink = await throughSink(bench);
    const details = { nodeMicrosPerRow: cpuMicrosPerRow, sinkMicrosPerRow: sink.cpuMicrosPerRow };
    return [{ line: 'H', measured: rowsPerSecond, reference: sink.rowsPerSecond, details }];
  },
};

/** What is shipped. */
const { rewriteMs } = parseConfig({}, { baseDir: '/' }).writers;
/** A service of its own, whose one key changes all the time. */
const PROBE = 2_000_000;

/** D: the same flood in front of a database. */
export const liveRereports: Case = {
  id: 'D',
  lines: [
    {
      id: 'D',
      title: 're-reports of 1,000 services × 10 hosts in front of a live database',
      unit: 'rows/s',
      reference: 'sink: the same sockets, frames and decoder; rows are dropped',
      target: { of: 'ratio', atLeast: 0.4 },
    },
    {
      id: 'D upserts',
      title: `rows that are written; a key each ${rewriteMs} ms at most`,
      unit: 'rows/s',
      reference: '',
      target: { of: 'measured', atMost: (keysOf(SHAPE) / rewriteMs) * 1000 },
    },
    {
      id: 'D late',
      title:
        'from the write of a key that changes all the time until it, or a later value, can be read; 99th percentile',
      unit: 'ms',
      reference: '',
      target: { of: 'measured', atMost: rewriteMs + 100 },
    },
    {
      id: 'D log',
      title: "bytes of the database's binary log a received row, where it has one",
      unit: 'bytes/row',
      reference: '',
    },
  ],
  round: (bench) =>
    bench.withTable(({ name, url }) =>
      bench.withProcesses({ url }, async ({ reporter, load, port }) => {
        await startFlood(load, port);
        await sleep(bench.size(2000, 100));
        const logBefore = await logBytes(bench);
        const before = await reporter.call('ledger');
        const late = await lateness(url, port, bench.size(4000, 300));
        const after = await reporter.call('ledger');
        const logged = (await logBytes(bench)) - logBefore;
        const sent = (await load.call('stop')) + late.length;
        await reporter.call('until', { count: 'received', is: sent, boundMs: 30_000 });
        await load.call('prepare', { shape: SHAPE, version: 2 });
        await load.call('sendAll');
        const total = sent + CONNECTIONS * keysOf(SHAPE);
        await reporter.call('until', { count: 'received', is: total, boundMs: 30_000 });
        await reporter.call('until', { count: 'pending', is: 0, boundMs: 30_000 });
        await expectBalanced(reporter, total);
        await bench.options.db.query(`DELETE FROM ${name}.ServerCallStatus WHERE modid=${PROBE}`);
        expectSame('the table', await bench.digest(name), digestOf(rowsOf(SHAPE, 2)));
        const rows = after.received - before.received;
        const seconds = (after.atMs - before.atMs) / 1000;
        const sink = await throughSink(bench);
        const measurements: Measurement[] = [
          { line: 'D', measured: rows / seconds, reference: sink.rowsPerSecond },
          { line: 'D upserts', measured: (after.upserted - before.upserted) / seconds },
          { line: 'D late', measured: quantile(late, 0.99) },
        ];
        if (logged > 0) measurements.push({ line: 'D log', measured: logged / rows });
        return measurements;
      }),
    ),
};

/** Sends a new value of one key about every 20 ms for so long; milliseconds until each, or a later one, can be read. */
async function lateness(url: string, port: number, forMs: number): Promise<number[]> {
  const database = await mysql.createConnection(url);
  const agent = await connectAgent({ host: '127.0.0.1', port, maxBufferedBytes: 65_536 });
  const sentMs: number[] = [];
  const late: number[] = [];
  const began = performance.now();
  let lastMs = 0;
  while (late.length < sentMs.length || performance.now() < began + forMs) {
    if (performance.now() > began + forMs + 10_000) throw new Error('a value is not stored');
    if (performance.now() < began + forMs && performance.now() > lastMs + 20) {
      lastMs = performance.now();
      sentMs.push(lastMs);
      const results = [{ ip: 1, port: 1, succ: sentMs.length, err: 0, overload: false }];
      await agent.sendBytes(encodeReportFrame({ modid: PROBE, cmdid: 1, caller: 1, ts: 1, results }));
    }
    const sql = `SELECT succ_cnt FROM ServerCallStatus WHERE modid=${PROBE}`;
    const [rows] = await database.query<mysql.RowDataPacket[]>(sql);
    const stored = Number(rows[0]?.['succ_cnt'] ?? 0);
    while (late.length < stored) late.push(performance.now() - sentMs[late.length]!);
    await sleep(2);
  }
  await agent.close();
  await database.end();
  return late;
}

/** Of the log that is written now; 0 where there is none. */
async function logBytes(bench: Bench): Promise<number> {
  const { db } = bench.options;
  const [log] = await db.query('SELECT @@log_bin log');
  if (Number(log?.['log']) !== 1) return 0;
  const logs = await db.query('SHOW BINARY LOGS');
  return logs.reduce((sum, { File_size: bytes }) => sum + Number(bytes), 0);
}

interface Rate {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

export function throughReporter(bench: Bench, tls?: BenchTls): Promise<Rate & { mainMicrosPerRow: number }> {
  const through = async ({ reporter, load, port }: Processes) => {
    await startFlood(load, tls ? await reporter.call('securePort') : port, tls?.ca);
    await sleep(bench.size(1000, 100));
    const before = await reporter.call('ledger');
    let after = before;
    const cpu = await bench.cpuMicros('H', reporter, async () => {
      await sleep(bench.size(3000, 300));
      after = await reporter.call('ledger');
      return after.received - before.received;
    });
    const sent = await load.call('stop');
    await reporter.call('until', { count: 'received', is: sent, boundMs: 30_000 });
    // Whatever was sent last by any of them holds these values.
    await reporter.call('record');
    await load.call('prepare', { shape: SHAPE, version: 2 });
    await load.call('sendAll');
    const total = sent + CONNECTIONS * keysOf(SHAPE);
    await reporter.call('until', { count: 'received', is: total, boundMs: 30_000 });
    await reporter.call('until', { count: 'pending', is: 0, boundMs: 30_000 });
    await expectBalanced(reporter, total);
    expectSame('the store', await reporter.call('recorded'), digestOf(rowsOf(SHAPE, 2)));
    const rows = after.received - before.received;
    return { ...rate(rows, after.atMs - before.atMs, cpu.all), mainMicrosPerRow: cpu.main / rows };
  };
  return bench.withProcesses('free', through, tls);
}

async function throughSink(bench: Bench): Promise<Rate> {
  const sink = new Worker<SinkApi>('sink');
  const load = new Worker<LoadApi>('load');
  try {
    await startFlood(load, await sink.call('listen'));
    await sleep(bench.size(1000, 100));
    const before = await sink.call('ledger');
    await sleep(bench.size(3000, 300));
    const after = await sink.call('ledger');
    await load.call('stop');
    return rate(
      after.received - before.received,
      after.atMs - before.atMs,
      after.cpuMicros - before.cpuMicros,
    );
  } finally {
    await Promise.all([sink.end('SIGKILL'), load.end('SIGKILL')]);
  }
}

async function startFlood(load: Worker<LoadApi>, port: number, ca?: string): Promise<void> {
  await load.call('prepare', { shape: SHAPE, version: 1 });
  await load.call('connect', { port, connections: CONNECTIONS, ...(ca === undefined ? {} : { ca }) });
  await load.call('flood', {});
}

function rate(rows: number, elapsedMs: number, cpuMicros: number): Rate {
  return { rowsPerSecond: (rows / elapsedMs) * 1000, cpuMicrosPerRow: cpuMicros / rows };
}
