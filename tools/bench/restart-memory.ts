/**
 * Whether what fitted before a kill fits after it: pending keys, `kill -9`, and a start under a hard limit of the
 * memory that the process before it had. Needs Linux, for /proc and prlimit.
 * `npm run --silent build && node dist/tools/bench/restart-memory.js [--keys N,N] [--reports N] [--limit RATIO] [--view on|off]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../src/index.js';
import { type Memory, memoryOf } from '../shared/procfs.js';
import { note, numberOf, optionsOf, runTool, UsageError } from '../shared/tool.js';
import { WrongResult } from './case.js';
import type { LoadApi } from './processes/load.js';
import type { ReporterApi } from './processes/reporter.js';
import { keysOf, type Shape } from './rows.js';
import { Worker } from './rpc.js';

const SAMPLE_MS = 20;
/** After replay: what is given back is given back by then. */
const REST_MS = 3000;
const MB = 1e6;

/** The most memory a process has had so far. */
class Peak {
  own = 0;
  mapped = 0;
  reserved = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#add(memoryOf(pid)), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #add(memory: Memory | undefined): void {
    if (!memory) return;
    this.own = Math.max(this.own, memory.ownBytes);
    this.mapped = Math.max(this.mapped, memory.mappedBytes);
    this.reserved = Math.max(this.reserved, memory.privateBytes);
  }
}

interface Run {
  readonly dir: string;
  readonly shape: Shape;
  readonly reports: number;
  readonly hasView: boolean;
}

const configIn = ({ dir, hasView }: Run): ConfigInput => ({
  listen: { host: '127.0.0.1', port: 0 },
  journal: { dir: path.join(dir, 'journal') },
  admin: { port: 0 },
  view: { enabled: hasView },
});

interface Before {
  readonly peak: Peak;
  /** Address space that the empty process had reserved and did not use: stacks of threads, most of all. */
  readonly unusedBytes: number;
  readonly journalBytes: number;
}

/** Fills a journal with pending keys and kills the process. */
async function fill(run: Run): Promise<Before> {
  const { dir, shape, reports } = run;
  const reporter = new Worker<ReporterApi>('reporter');
  const load = new Worker<LoadApi>('load');
  const peak = new Peak(reporter.pid);
  try {
    const port = await reporter.call('start', { config: configIn(run), store: 'away' });
    const empty = memoryOf(reporter.pid)!;
    await load.call('connect', { port, connections: shape.agents });
    for (let version = 1; version <= reports; version++) {
      await load.call('prepare', { shape, version });
      await load.call('sendAll');
      await reporter.call('until', { count: 'received', is: version * keysOf(shape), boundMs: 600_000 });
    }
    await sleep(REST_MS);
    const { pending } = await reporter.call('ledger');
    if (pending !== keysOf(shape)) throw new WrongResult(`${pending} of ${keysOf(shape)} keys are pending`);
    return {
      peak,
      unusedBytes: empty.privateBytes - empty.ownBytes,
      journalBytes: statSync(path.join(dir, 'journal', 'data.mdb')).size,
    };
  } finally {
    peak.stop();
    await Promise.all([reporter.end('SIGKILL'), load.end('SIGKILL')]);
  }
}

/** Starts it again where it may take `limitBytes` of private memory, and has everything stored. */
async function again(run: Run, limitBytes: number) {
  const { shape } = run;
  const began = performance.now();
  const reporter = new Worker<ReporterApi>('reporter');
  execFileSync('prlimit', ['--pid', String(reporter.pid), `--data=${limitBytes}:${limitBytes}`]);
  const peak = new Peak(reporter.pid);
  try {
    await reporter.call('start', { config: configIn(run), store: 'away' });
    const readySeconds = (performance.now() - began) / 1000;
    const { recovered, pending } = await reporter.call('ledger');
    if (recovered !== keysOf(shape) || pending !== recovered)
      throw new WrongResult(`recovered ${recovered}, pending ${pending} of ${keysOf(shape)} keys`);
    await sleep(REST_MS);
    const rested = memoryOf(reporter.pid)!;
    const atRest = { own: peak.own, mapped: peak.mapped };
    await reporter.call('storeIsBack');
    await reporter.call('until', { count: 'pending', is: 0, boundMs: 600_000 });
    return { readySeconds, rested, atRest, peak };
  } finally {
    peak.stop();
    await reporter.end('SIGKILL');
  }
}

async function row(
  keys: number,
  { reports, hasView }: Pick<Run, 'reports' | 'hasView'>,
  ratio: number,
): Promise<string> {
  const shape: Shape = { agents: 10, services: keys / 100, hosts: 10 };
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-bench-'));
  try {
    const run = { dir, shape, reports, hasView };
    const before = await fill(run);
    const { peak, unusedBytes, journalBytes } = before;
    const limitBytes = Math.ceil(ratio * peak.own + unusedBytes);
    note(
      `${keys} keys: ${mb(peak.own)} of its own, ${mb(peak.mapped)} mapped, ${mb(peak.reserved)} reserved; ` +
        `journal ${mb(journalBytes)}; again with at most ${mb(limitBytes)}`,
    );
    const { readySeconds, rested, atRest, peak: most } = await again(run, limitBytes);
    const cells = [
      keys.toLocaleString('en-US'),
      mb(journalBytes),
      `${mb(peak.own)} + ${mb(peak.mapped)}`,
      mb(limitBytes),
      `${mb(atRest.own)} + ${mb(atRest.mapped)}`,
      `${mb(rested.ownBytes)} + ${mb(rested.mappedBytes)}`,
      mb(most.own),
      `${readySeconds.toFixed(1)} s`,
    ];
    const line = `| ${cells.join(' | ')} |`;
    note(line);
    return line;
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

const mb = (bytes: number) => (bytes / MB).toFixed(0);

async function main(): Promise<number> {
  const values = optionsOf(process.argv.slice(2), {
    keys: { type: 'string', default: '2000000,4000000' },
    reports: { type: 'string', default: '4' },
    limit: { type: 'string', default: '1.3' },
    view: { type: 'string', default: 'on' },
  });
  const reports = numberOf('--reports', values.reports, { from: 1, to: 1000 });
  if (values.view !== 'on' && values.view !== 'off') throw new UsageError('--view takes on or off');
  const hasView = values.view === 'on';
  const limit = numberOf('--limit', values.limit, { from: 0.1, to: 100, fraction: true });
  const lines = [
    '| pending keys | journal file, MB | before the kill, MB | limit, MB | anew, MB | 3 s after ready, MB | while stored, MB | ready in |',
    '| - | - | - | - | - | - | - | - |',
  ];
  for (const keys of values.keys.split(','))
    lines.push(
      await row(
        100 * Math.round(numberOf('--keys', keys, { from: 100, to: 1e8 }) / 100),
        { reports, hasView },
        limit,
      ),
    );
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

await runTool(main, { endAtOnce: true });
