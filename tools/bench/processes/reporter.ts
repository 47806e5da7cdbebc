/** The reporter under test: its own process, and a store that costs nothing where the database is not the point. */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConfigInput,
  type Ledger,
  type Reporter,
  StoreError,
  startReporter,
} from '../../../src/index.js';
import type { RowBatch } from '../../../src/model/row.js';
import type { Store } from '../../../src/store/contract.js';
import { type FunctionTimes, timesOf } from '../function-times.js';
import { crcOf, type Digest } from '../rows.js';
import { serve } from '../rpc.js';

/** How long the free store takes for a row: four writers then store 300,000 a second, as MariaDB does. */
const FREE_STORE_MS_PER_ROW = 0.013;

let reporter: Reporter | undefined;
let away = false;
/** What the free store was given since `record`, by key. */
let recorded: Map<string, number> | undefined;

async function upsert(rows: RowBatch): Promise<void> {
  if (away) throw new StoreError('retry', 'AWAY', 'the store is away');
  if (recorded)
    for (const row of rows)
      recorded.set(`${row.modid},${row.cmdid},${row.ip},${row.port},${row.caller}`, crcOf(row));
  await sleep(rows.length * FREE_STORE_MS_PER_ROW);
}

const freeStore: Store = {
  description: 'free',
  open: async () => {},
  check: async () => {},
  close: async () => {},
  writer: () => ({ upsert, close: async () => {} }),
};

export interface Usage {
  /** Of this process, all threads. */
  readonly cpuMicros: number;
  /** Of its main thread; 0 where the system does not tell. */
  readonly mainMicros: number;
  readonly rssBytes: number;
  /** Heap and buffers in use. */
  readonly liveBytes: number;
  /** Journal records and snapshots that are still needed. */
  readonly journalBytes: number;
}

const running = (): Reporter => {
  if (!reporter) throw new Error('not started');
  return reporter;
};

const inspector = new Session();

/** Linux tells it of the first thread, in nanoseconds. */
function mainMicros(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1000;
  } catch {
    return 0;
  }
}

const loop = monitorEventLoopDelay({ resolution: 1 });

const api = {
  /** Of agents with TLS, where that is spoken. */
  securePort(): number {
    return running().secureAddress?.port ?? 0;
  },

  /** Resolves to the port for agents when reports are taken. */
  async start(options: { config: ConfigInput; store: 'free' | 'away' | 'url' }): Promise<number> {
    away = options.store === 'away';
    const say = (fields: object, message: string) =>
      process.stderr.write(`reporter: ${message} ${JSON.stringify(fields)}\n`);
    // A store that is away on purpose is no news.
    const logger = { debug() {}, info() {}, warn: away ? () => {} : say, error: say };
    reporter = await startReporter(options.config, {
      ...(options.store === 'url' ? {} : { store: freeStore }),
      logger,
    });
    return reporter.address.port;
  },

  /** Where the admin HTTP is. */
  adminPort(): number {
    return running().admin!.port;
  },

  /** The longest turn of the main thread between `start` and `stop`, in milliseconds. */
  longestTurn(step: 'start' | 'stop'): number {
    if (step === 'start') {
      loop.reset();
      loop.enable();
      return 0;
    }
    loop.disable();
    return loop.max / 1e6;
  },

  /** Counts, and the moment they were taken. */
  ledger(): Ledger & { readonly atMs: number } {
    return { ...running().ledger(), atMs: performance.now() };
  },

  /** Reports a service of ten hosts so often, each when the one before is on disk; milliseconds a report. */
  async sequential({ reports, hosts }: { reports: number; hosts: number }): Promise<number> {
    const began = performance.now();
    for (let succ = 1; succ <= reports; succ++) {
      const results = Array.from({ length: hosts }, (_, ip) => ({
        ip,
        port: 1,
        succ,
        err: 0,
        overload: false,
      }));
      await running().report({ modid: 1, cmdid: 1, caller: 1, ts: succ, results });
    }
    return (performance.now() - began) / reports;
  },

  /** Waits until a count has come to a number, or `pending` is down to it. Rejects after `boundMs`. */
  async until(goal: {
    count: 'received' | 'upserted' | 'pending';
    is: number;
    boundMs: number;
  }): Promise<void> {
    const deadline = performance.now() + goal.boundMs;
    for (;;) {
      const value = running().ledger()[goal.count];
      if (goal.count === 'pending' ? value <= goal.is : value >= goal.is) return;
      if (performance.now() > deadline) throw new Error(`${goal.count} stands at ${value}, not ${goal.is}`);
      await sleep(2);
    }
  },

  /** `gc`: collects garbage first. */
  usage({ gc = false }: { gc?: boolean }): Usage {
    // Twice: what the first run finalises, the second one frees.
    if (gc) for (let run = 0; run < 2; run++) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const journalBytes = running()
      .status()
      .writers.reduce((sum, writer) => sum + writer.journalBytes, 0);
    return {
      cpuMicros: user + system,
      mainMicros: mainMicros(),
      rssBytes: rss,
      liveBytes: heapUsed + external,
      journalBytes,
    };
  },

  /** Samples the main thread between `start` and `stop`. */
  async profile(step: 'start' | 'stop'): Promise<FunctionTimes> {
    if (step === 'start') {
      inspector.connect();
      await inspector.post('Profiler.enable');
      await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
      await inspector.post('Profiler.start');
      return {};
    }
    const { profile } = await inspector.post('Profiler.stop');
    inspector.disconnect();
    return timesOf(profile);
  },

  /** The free store comes back. */
  storeIsBack(): void {
    away = false;
  },

  /** The free store notes what it is given from now on. */
  record(): void {
    recorded = new Map();
  },

  recorded(): Digest {
    const crcs = [...(recorded?.values() ?? [])];
    return { rows: crcs.length, sum: crcs.reduce((sum, crc) => sum + crc, 0) };
  },
};

export type ReporterApi = typeof api;
serve(api);
