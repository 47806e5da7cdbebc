/**
 * What keeping connections takes: memory of the keeper, and how long nobody reads while the process behind it is
 * replaced or was killed. Needs Linux, for /proc. An embedded store.
 * `npm run --silent build && node dist/tools/bench/keeper.js [--idle N] [--sending N] [--rate N] [--rounds N]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { type CliProcess, startServe } from '../shared/process.js';
import { memoryOf } from '../shared/procfs.js';
import { note, numberOf, optionsOf, runTool } from '../shared/tool.js';
import { quantile } from './case.js';
import type { LoadApi } from './processes/load.js';
import { Worker } from './rpc.js';

const HOSTS = 10;
const MB = 1e6;
const BOUND_MS = 120_000;
/** What a process leaves behind is collected by then. */
const REST_MS = 3000;

/** Lines of the log that begin and end the time in which nobody reads. */
const LETS_GO = 'the new process is prepared; the old one lets go';
const HAS_ENDED = 'the process that reads has ended; a new one gets its connections';
const READS_ON = 'reading on where the process before ended';

interface LogLine {
  readonly time: string;
  readonly msg: string;
}

/** Times of the lines with a message, in milliseconds. */
function timesOf(cli: CliProcess, message: string): number[] {
  return cli.stderr
    .split('\n')
    .filter((line) => line.includes(message))
    .map((line) => Date.parse((JSON.parse(line) as LogLine).time));
}

/** Milliseconds in which nobody reads, once a round. */
async function gaps(
  cli: CliProcess,
  begins: string,
  rounds: number,
  signal: () => unknown,
): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { length } = timesOf(cli, READS_ON);
    signal();
    await until(() => timesOf(cli, READS_ON).length > length, {
      boundMs: BOUND_MS,
      what: 'the next process to read on',
    });
    found.push(timesOf(cli, READS_ON).at(-1)! - timesOf(cli, begins).at(-1)!);
    await sleep(REST_MS);
  }
  return found;
}

const mb = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`;
const inMs = (values: readonly number[]) =>
  `${quantile(values, 0.5).toFixed(0)} (median), ${Math.max(...values)} (most) of ${values.length}`;
/** What is resident: its own memory, and what it has mapped, most of it the program of Node. */
function residentBytes(pid: number): number {
  const { ownBytes, mappedBytes } = memoryOf(pid)!;
  return ownBytes + mappedBytes;
}

async function main(): Promise<number> {
  const values = optionsOf(process.argv.slice(2), {
    idle: { type: 'string', default: '10000' },
    sending: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
  });
  const idle = numberOf('--idle', values.idle, { from: 0, to: 1_000_000 });
  const sending = numberOf('--sending', values.sending, { from: 1, to: 100_000 });
  const rate = numberOf('--rate', values.rate, { from: 1, to: 100_000 });
  const rounds = numberOf('--rounds', values.rounds, { from: 1, to: 1000 });
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-bench-'));
  const workers: Worker<LoadApi>[] = [];
  const loadOf = () => {
    const worker = new Worker<LoadApi>('load');
    workers.push(worker);
    return worker;
  };
  const { cli, ready } = await startServe([], {
    cwd: dir,
    env: {
      ...{ LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' },
      LARS_LISTEN_MAX_CONNECTIONS: String(idle + sending),
    },
  });
  const keeperPid = cli.child.pid!;
  try {
    const { port } = ready.listen;
    const lines = [`| resident memory of the keeper without connections | ${mb(residentBytes(keeperPid))} |`];
    if (idle > 0) await loadOf().call('connect', { port, connections: idle });
    const load = loadOf();
    await load.call('connect', { port, connections: sending });
    await load.call('prepare', { shape: { agents: sending, services: 1, hosts: HOSTS }, version: 1 });
    await load.call('pace', { rowsPerSecond: rate * HOSTS });
    await sleep(REST_MS);
    let peak = residentBytes(keeperPid);
    const timer = setInterval(() => {
      peak = Math.max(peak, residentBytes(keeperPid));
    }, 20);
    lines.push(`| with ${idle + sending} connections | ${mb(peak)} |`);
    const handedOver = await gaps(cli, LETS_GO, rounds, () => process.kill(keeperPid, 'SIGUSR2'));
    note(`handed over: ${handedOver.join(', ')} ms`);
    const killed = await gaps(cli, HAS_ENDED, rounds, () => process.kill(cli.readerPid, 'SIGKILL'));
    note(`killed: ${killed.join(', ')} ms`);
    clearInterval(timer);
    lines.push(`| the most it took | ${mb(peak)} |`);
    lines.push(`| hand-over: nobody reads for, ms | ${inMs(handedOver)} |`);
    lines.push(`| \`kill -9\` of the process that reads: nobody reads for, ms | ${inMs(killed)} |`);
    process.stdout.write(`| | |\n| - | - |\n${lines.join('\n')}\n`);
    return 0;
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    await cli.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

await runTool(main, { endAtOnce: true });
