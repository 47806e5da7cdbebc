import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { encodeReportFrame } from '../../../src/client/encode.js';
import { connectAgent } from '../../../src/client/index.js';
import { readMeta } from '../../../src/lmdb/meta.js';
import {
  type Bench,
  type Case,
  expectBalanced,
  expectSame,
  type Line,
  type Measurement,
  type Processes,
  quantile,
} from '../case.js';
import type { LoadApi } from '../processes/load.js';
import type { SinkApi } from '../processes/sink.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const HOSTS = 10;
/** lmdb flushes its pages, and then the record that names them. */
const SYNCS_PER_COMMIT = 2;
/** A service of its own, each time another host: a key that was quiet. */
const PROBE = 2_000_000;

/** What an ordinary day looks like. */
interface Load {
  readonly id: string;
  readonly what: string;
  readonly agents: number;
  /** Of each agent; all of its reports are sent in turn. */
  readonly services: number;
  readonly reportsPerSecond: number;
  readonly targets: Partial<Record<Figure, number>>;
}

type Figure = 'cpu' | 'db' | 'syncs' | 'statements' | 'p50' | 'p99';

export const LOADS: readonly Load[] = [
  {
    ...{ id: 'A', what: 'the same keys again and again', agents: 200, services: 1, reportsPerSecond: 500 },
    targets: { cpu: 80, db: 10, syncs: 120, statements: 60, p50: 20, p99: 100 },
  },
  {
    ...{ id: "A'", what: 'keys that were quiet', agents: 200, services: 50, reportsPerSecond: 500 },
    targets: { cpu: 150, syncs: 120, statements: 250, p50: 25, p99: 100 },
  },
  {
    ...{ id: 'A 3k', what: 'the same keys', agents: 1000, services: 1, reportsPerSecond: 3000 },
    targets: { cpu: 40, db: 7 },
  },
  {
    ...{ id: 'A 8k', what: 'the same keys', agents: 1000, services: 1, reportsPerSecond: 8000 },
    targets: { cpu: 30, db: 7 },
  },
  {
    ...{ id: 'A max', what: 'the same keys', agents: 2000, services: 1, reportsPerSecond: 25_000 },
    targets: { p99: 250 },
  },
];

const FIGURES: Readonly<Record<Figure, { readonly title: string; readonly unit: string }>> = {
  cpu: { title: 'CPU of the reporter, all threads', unit: 'µs/report' },
  db: { title: 'CPU of the database', unit: 'µs/row' },
  syncs: { title: 'flushes of the journal to the disk', unit: '/s' },
  statements: { title: 'upserts', unit: '/s' },
  p50: { title: 'from the write of a quiet key until it can be read, median', unit: 'ms' },
  p99: { title: 'the same, 99th percentile', unit: 'ms' },
};

function linesOf({ id, what, agents, reportsPerSecond, targets }: Load): Line[] {
  const load = `${agents} connections, ${reportsPerSecond.toLocaleString('en-US')} reports/s of ${HOSTS} rows, ${what}`;
  return (Object.keys(FIGURES) as Figure[]).map((figure) => ({
    id: `${id} ${figure}`,
    ...{ title: `${FIGURES[figure].title}; ${load}`, unit: FIGURES[figure].unit },
    reference: figure === 'cpu' ? 'sink: the same sockets, frames and decoder at the same rate' : '',
    ...(targets[figure] === undefined ? {} : { target: { of: 'measured', atMost: targets[figure] } }),
  }));
}

/** A: what a report costs at the loads sites really have. */
export const economy: Case = {
  id: 'A',
  maxRounds: 5,
  lines: LOADS.flatMap(linesOf),
  async round(bench) {
    const measurements: Measurement[] = [];
    for (const load of bench.options.short
      ? LOADS.slice(0, 1)
      : LOADS.slice(0, Number(process.env['LB'] ?? 4))) {
      const figures = await throughReporter(bench, load);
      const sink = await throughSink(bench, load);
      for (const [figure, measured] of Object.entries(figures))
        measurements.push({
          ...{ line: `${load.id} ${figure}`, measured },
          ...(figure === 'cpu' ? { reference: sink } : {}),
        });
      bench.options.say(`${load.id}: ${JSON.stringify(figures)}, sink ${sink.toFixed(1)}`);
    }
    return measurements;
  },
};

export function throughReporter(bench: Bench, load: Load): Promise<Record<Figure, number>> {
  return bench.withTable(({ name, url }) =>
    bench.withProcesses({ url }, async (processes) => {
      const { reporter, load: agents, port } = processes;
      const shape: Shape = { agents: load.agents, services: load.services, hosts: HOSTS };
      await agents.call('connect', { port, connections: shape.agents });
      await agents.call('prepare', { shape, version: 1 });
      const early = await warmUp(bench, load, agents);
      await agents.call('pace', { rowsPerSecond: load.reportsPerSecond * HOSTS });
      await sleep(bench.size(2000, 300));
      const costs = await measured(bench, load, processes);
      const probed = await probe(url, port, bench.size(200, 5));
      const sent = early + (await agents.call('stop'));
      await agents.call('prepare', { shape, version: 2 });
      await agents.call('sendAll');
      const total = sent + keysOf(shape) + probed.length;
      await reporter.call('until', { count: 'received', is: total, boundMs: 60_000 });
      await reporter.call('until', { count: 'pending', is: 0, boundMs: 60_000 });
      await expectBalanced(reporter, total);
      await bench.options.db.query(`DELETE FROM ${name}.ServerCallStatus WHERE modid=${PROBE}`);
      expectSame('the table', await bench.digest(name), digestOf(rowsOf(shape, 2)));
      return { ...costs, p50: quantile(probed, 0.5), p99: quantile(probed, 0.99) };
    }),
  );
}

/** A service runs for weeks: its code is compiled. Resolves to the rows sent. */
async function warmUp(bench: Bench, { reportsPerSecond }: Load, agents: Worker<LoadApi>): Promise<number> {
  await agents.call('pace', { rowsPerSecond: Math.max(6000, reportsPerSecond) * HOSTS });
  await sleep(bench.size(6000, 300));
  return agents.call('stop');
}

/** Nobody asks the database anything meanwhile. */
async function measured(
  bench: Bench,
  { id }: Load,
  { reporter, dir }: Processes,
): Promise<Record<Exclude<Figure, 'p50' | 'p99'>, number>> {
  const before = { ...(await standing(bench, dir)), ledger: await reporter.call('ledger') };
  const { all: cpuMicros } = await bench.cpuMicros(id, reporter, async () => {
    await sleep(bench.size(6000, 500));
    return (await reporter.call('ledger')).received - before.ledger.received;
  });
  const after = { ...(await standing(bench, dir)), ledger: await reporter.call('ledger') };
  const rows = after.ledger.received - before.ledger.received;
  const seconds = (after.ledger.atMs - before.ledger.atMs) / 1000;
  return {
    cpu: (cpuMicros / rows) * HOSTS,
    db: (after.dbMicros - before.dbMicros) / rows,
    syncs: ((after.commits - before.commits) * SYNCS_PER_COMMIT) / seconds,
    statements: (after.statements - before.statements) / seconds,
  };
}

async function standing(bench: Bench, dir: string) {
  const [row] = await bench.options.db.query("SHOW GLOBAL STATUS LIKE 'Com_insert'");
  return {
    dbMicros: bench.databaseCpuMicros(),
    statements: Number(row?.['Value']),
    commits: commitsOf(path.join(dir, 'journal', 'data.mdb')),
  };
}

function commitsOf(file: string): number {
  const fd = openSync(file, 'r');
  try {
    return readMeta(fd)!.transaction;
  } finally {
    closeSync(fd);
  }
}

/** Milliseconds from an agent's write until the row can be read, once a key. */
async function probe(url: string, port: number, samples: number): Promise<number[]> {
  const database = await mysql.createConnection(url);
  const agent = await connectAgent({ host: '127.0.0.1', port, maxBufferedBytes: 65_536 });
  const through: number[] = [];
  for (let ip = 1; ip <= samples; ip++) {
    const results = [{ ip, port: 1, succ: 1, err: 0, overload: false }];
    const frame = encodeReportFrame({ modid: PROBE, cmdid: 1, caller: 1, ts: 1, results });
    const began = performance.now();
    await agent.sendBytes(frame);
    while (!(await isStored(database, ip)) && performance.now() < began + 10_000) await sleep(1);
    through.push(performance.now() - began);
    // Not in step with anything.
    await sleep(5 + Math.random() * 15);
  }
  await agent.close();
  await database.end();
  return through;
}

async function isStored(database: mysql.Connection, ip: number): Promise<boolean> {
  const sql = `SELECT 1 FROM ServerCallStatus WHERE modid=${PROBE} AND cmdid=1 AND ip=${ip} AND port=1 AND caller=1`;
  const [rows] = await database.query<mysql.RowDataPacket[]>(sql);
  return rows.length > 0;
}

/** CPU of a report, microseconds. */
async function throughSink(bench: Bench, { agents, services, reportsPerSecond }: Load): Promise<number> {
  const sink = new Worker<SinkApi>('sink');
  const load = new Worker<LoadApi>('load');
  try {
    const shape: Shape = { agents, services, hosts: HOSTS };
    await load.call('connect', { port: await sink.call('listen'), connections: agents });
    await load.call('prepare', { shape, version: 1 });
    await load.call('pace', { rowsPerSecond: reportsPerSecond * HOSTS });
    await sleep(bench.size(1000, 100));
    const before = await sink.call('ledger');
    await sleep(bench.size(2000, 200));
    const after = await sink.call('ledger');
    await load.call('stop');
    return ((after.cpuMicros - before.cpuMicros) / (after.received - before.received)) * HOSTS;
  } finally {
    await Promise.all([sink.end('SIGKILL'), load.end('SIGKILL')]);
  }
}
