import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ConfigInput } from '../../src/index.js';
import type { DatabaseServer } from '../shared/database-server.js';
import { createTable } from '../shared/tables.js';
import type { FunctionTimes } from './function-times.js';
import type { LoadApi } from './processes/load.js';
import type { ReporterApi } from './processes/reporter.js';
import {
  DIGEST_SQL,
  type Digest,
  digestOf,
  FILLER_PORT,
  fillerSql,
  keysOf,
  rowsOf,
  type Shape,
} from './rows.js';
import { Worker } from './rpc.js';

/** What is to be reached, of the measured value or of its ratio to the reference. */
export interface Target {
  readonly of: 'measured' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One line of the table. */
export interface Line {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** What stands beside it, measured in the same round. */
  readonly reference: string;
  readonly target?: Target;
}

/** The result of one round for one line. */
export interface Measurement {
  readonly line: string;
  readonly measured: number;
  readonly reference?: number;
  /** Beside the point, for the JSON. */
  readonly details?: Readonly<Record<string, number>>;
}

export interface Case {
  readonly id: string;
  readonly lines: readonly Line[];
  /** It takes long and its rounds differ little: this many are enough. */
  readonly maxRounds?: number;
  /** Measures and checks; throws WrongResult when what came out is wrong. */
  round(bench: Bench): Promise<Measurement[]>;
}

/** Fast or not, what came out is wrong. */
export class WrongResult extends Error {}

/** Called with the functions' times of a measured stretch of a reporter, for rows of that number. */
export type OnProfile = (caseId: string, profile: FunctionTimes, rows: number, cpuMicros: number) => void;

export interface BenchOptions {
  readonly db: DatabaseServer;
  readonly short: boolean;
  readonly soakMinutes: number;
  readonly writers: number;
  readonly batchRows: number;
  /** Distinct keys of U. */
  readonly keys: number;
  /** Other rows that are in the table before U begins, beside those of U in the order of keys. */
  readonly tableRows: number;
  /** Whether reporters keep the live view; they do unless told. */
  readonly view?: boolean;
  readonly say: (text: string) => void;
  readonly onProfile?: OnProfile;
}

/** What cases share: the database, folders, and how processes are started and ended. */
export class Bench {
  readonly options: BenchOptions;
  #databases = 0;

  constructor(options: BenchOptions) {
    this.options = options;
  }

  /** One of two sizes. */
  size(full: number, short: number): number {
    return this.options.short ? short : full;
  }

  /** The same without the live view. */
  withoutView(): Bench {
    return new Bench({ ...this.options, view: false });
  }

  /** An empty table in a database of its own, for the time of `use`. */
  async withTable<Result>(use: (table: { name: string; url: string }) => Promise<Result>): Promise<Result> {
    const { db } = this.options;
    const name = `lars_bench_${++this.#databases}`;
    await createTable(db, name, 'signed');
    try {
      return await use({ name, url: db.url(name) });
    } finally {
      await db.query(`DROP DATABASE ${name}`);
    }
  }

  /** Empties the table, but for as many other rows as the run is to find there. */
  async refill(database: string): Promise<void> {
    const { db, tableRows } = this.options;
    await db.query(`TRUNCATE TABLE ${database}.ServerCallStatus`);
    if (tableRows > 0) await db.query(fillerSql(database, tableRows));
  }

  /** Of the rows of cases; what `refill` put there does not count. */
  async digest(database: string): Promise<Digest> {
    const [row] = await this.options.db.query(
      `${DIGEST_SQL} FROM ${database}.ServerCallStatus WHERE port <> ${FILLER_PORT}`,
    );
    return { rows: Number(row?.['n']), sum: Number(row?.['s']) };
  }

  /** CPU time the database has taken so far; 0 where the system does not tell. */
  databaseCpuMicros(): number {
    return cpuMicrosOf(this.options.db.pid);
  }

  async withDir<Result>(use: (dir: string) => Promise<Result>): Promise<Result> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-bench-'));
    try {
      return await use(dir);
    } finally {
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Configuration of a reporter that journals in `dir`. */
  config(dir: string, storeUrl?: string, tls?: BenchTls): ConfigInput {
    return {
      listen: {
        ...{ host: '127.0.0.1', port: 0, maxConnections: 20_000 },
        ...(tls ? { tls: { port: 0, cert: tls.cert, key: tls.key } } : {}),
      },
      writers: { count: this.options.writers, maxBatchRows: this.options.batchRows },
      journal: { dir: path.join(dir, 'journal') },
      admin: { port: 0 },
      view: { enabled: this.options.view ?? true },
      ...(storeUrl === undefined ? {} : { store: { url: storeUrl } }),
    };
  }

  /** A reporter and agents in processes of their own, both ended in the end. */
  withProcesses<Result>(
    store: { url: string } | 'free' | 'away',
    use: (processes: Processes) => Promise<Result>,
    tls?: BenchTls,
  ): Promise<Result> {
    return this.withDir(async (dir) => {
      const reporter = new Worker<ReporterApi>('reporter', ['--expose-gc']);
      const load = new Worker<LoadApi>('load');
      try {
        const kind = typeof store === 'string' ? store : 'url';
        const config = this.config(dir, typeof store === 'string' ? undefined : store.url, tls);
        const port = await reporter.call('start', { config, store: kind });
        return await use({ reporter, load, port, dir });
      } finally {
        await Promise.all([reporter.end('SIGKILL'), load.end('SIGKILL')]);
      }
    });
  }

  /** Profiles the reporter during `stretch`, when that is what the run is for; resolves to the CPU time it took, of all threads and of the main one. */
  async cpuMicros(
    caseId: string,
    reporter: Worker<ReporterApi>,
    stretch: () => Promise<number>,
  ): Promise<{ readonly all: number; readonly main: number }> {
    const { onProfile } = this.options;
    if (onProfile) await reporter.call('profile', 'start');
    const before = await reporter.call('usage', {});
    const rows = await stretch();
    const after = await reporter.call('usage', {});
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    if (onProfile) onProfile(caseId, await reporter.call('profile', 'stop'), rows, cpuMicros);
    return { all: cpuMicros, main: after.mainMicros - before.mainMicros };
  }
}

/** Paths of PEM files. */
export interface BenchTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Processes {
  readonly reporter: Worker<ReporterApi>;
  readonly load: Worker<LoadApi>;
  readonly port: number;
  readonly dir: string;
}

/** Linux counts in hundredths of a second. */
const TICK_MICROS = 10_000;

function cpuMicrosOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  // Fields 14 and 15; the name in parentheses may hold anything.
  const [, user, system] = /^.*\)(?: \S+){11} (\d+) (\d+)/s.exec(readFileSync(file, 'utf8'))!;
  return (Number(user) + Number(system)) * TICK_MICROS;
}

export function expectSame(what: string, found: Digest, expected: Digest): void {
  if (found.rows !== expected.rows || found.sum !== expected.sum)
    throw new WrongResult(
      `${what}: ${found.rows} rows with checksum ${found.sum} instead of ${expected.rows} with ${expected.sum}`,
    );
}

/** The ledger balances, and accounts for every row that was sent. */
export async function expectBalanced(
  reporter: Worker<ReporterApi>,
  received: number,
  pending = 0,
): Promise<void> {
  const ledger = await reporter.call('ledger');
  const isRight =
    ledger.balanced && ledger.received === received && ledger.pending === pending && ledger.rejected === 0;
  if (!isRight || ledger.deadLettered > 0)
    throw new WrongResult(`the ledger of ${received} rows sent: ${JSON.stringify(ledger)}`);
}

/**
 * Ends a flood or a paced load, has every agent send a last version of its keys, and waits until the table holds it.
 * Resolves to the rows that were sent before. Throws WrongResult when anything is lost or wrong.
 */
export async function stopAndExpectAll(
  bench: Bench,
  { reporter, load }: Processes,
  shape: Shape,
  database: string,
): Promise<number> {
  const sent = await load.call('stop');
  await load.call('prepare', { shape, version: 2 });
  await load.call('sendAll');
  const total = sent + keysOf(shape);
  await reporter.call('until', { count: 'received', is: total, boundMs: 60_000 });
  await reporter.call('until', { count: 'pending', is: 0, boundMs: 60_000 });
  await expectBalanced(reporter, total);
  expectSame('the table', await bench.digest(database), digestOf(rowsOf(shape, 2)));
  return sent;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
