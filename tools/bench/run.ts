/** `npm run bench`: every case with its reference, in turn, several rounds; a table on stdout, JSON on request. */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import type { DatabaseServer } from '../shared/database-server.js';
import { note, numberOf, optionsOf, runTool, UsageError } from '../shared/tool.js';
import { Bench, type BenchOptions, type Case, type Measurement, WrongResult } from './case.js';
import { connections, idle } from './cases/connections.js';
import { economy } from './cases/economy.js';
import { history } from './cases/history.js';
import { latency } from './cases/latency.js';
import { outage, recovery } from './cases/outage.js';
import { liveRereports, rereports } from './cases/rereports.js';
import { soak } from './cases/soak.js';
import { tls } from './cases/tls.js';
import { unique } from './cases/unique.js';
import { view } from './cases/view.js';
import { viewCost } from './cases/view-cost.js';
import { type BenchServer, withDatabase } from './database.js';
import { type Summary, summarise, table } from './summary.js';

const CASES: readonly Case[] = [
  economy,
  unique,
  rereports,
  tls,
  liveRereports,
  connections,
  idle,
  latency,
  outage,
  recovery,
  soak,
  view,
  viewCost,
  history,
];
const USAGE = `npm run bench -- [options]
  --case IDS         only these cases, e.g. U,H (${CASES.map(({ id }) => id).join(' ')})
  --rounds N         rounds, at most, of each case (default 5)
  --writers N        writers.count (default 4)
  --batch-rows N     writers.maxBatchRows (default 2000)
  --keys N           distinct keys of U (default 500000)
  --table-rows N     other rows in the table before U begins (default 0)
  --soak-minutes N   length of S (default 1)
  --server NAME      mysql or mariadb11, fetched when it is not there, or the path of a server (default: the machine's MariaDB)
  --binary-log WHICH on or off (default: as the server has it, MySQL on, MariaDB off)
  --short            everything tiny: checks that all works; the numbers mean nothing
  --json FILE        writes machine, versions and all rounds
`;

function versionOf(name: string): string {
  const path = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

interface Run {
  readonly cases: readonly Case[];
  readonly rounds: number;
  readonly json: string | undefined;
  readonly database: BenchServer;
  readonly bench: Omit<BenchOptions, 'db' | 'say'>;
}

/** Throws UsageError. */
function runFrom(args: readonly string[]): Run | 'help' {
  const values = optionsOf(args, {
    case: { type: 'string' },
    rounds: { type: 'string' },
    writers: { type: 'string', default: '4' },
    'batch-rows': { type: 'string', default: '2000' },
    keys: { type: 'string', default: '500000' },
    'table-rows': { type: 'string', default: '0' },
    'soak-minutes': { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    server: { type: 'string' },
    'binary-log': { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return 'help';
  const { short, json } = values;
  return {
    cases: chosenCases(values.case),
    rounds: numberOf('--rounds', values.rounds ?? (short ? '1' : '5'), { from: 1, to: 1000 }),
    json,
    database: { server: values.server, hasBinaryLog: binaryLogOf(values['binary-log']) },
    bench: {
      short,
      soakMinutes: numberOf('--soak-minutes', values['soak-minutes'], {
        from: 0.1,
        to: 100_000,
        fraction: true,
      }),
      writers: numberOf('--writers', values.writers, { from: 1, to: 1024 }),
      batchRows: numberOf('--batch-rows', values['batch-rows'], { from: 1, to: 10_000 }),
      keys: numberOf('--keys', values.keys, { from: 100, to: 100_000_000 }),
      tableRows: numberOf('--table-rows', values['table-rows'], { from: 0, to: 1_000_000_000 }),
    },
  };
}

function chosenCases(ids: string | undefined): readonly Case[] {
  if (ids === undefined) return CASES;
  const wanted = ids.toUpperCase().split(',');
  const unknown = wanted.find((id) => !CASES.some((one) => one.id === id));
  if (unknown !== undefined)
    throw new UsageError(`--case ${unknown}: takes ${CASES.map(({ id }) => id).join(', ')}`);
  return CASES.filter(({ id }) => wanted.includes(id));
}

function binaryLogOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text !== 'on' && text !== 'off') throw new UsageError('--binary-log takes on or off');
  return text === 'on';
}

async function main(): Promise<number> {
  const run = runFrom(process.argv.slice(2));
  if (run === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const begun = { startedAt: new Date().toISOString(), loadAverage: os.loadavg()[0]! };
  return withDatabase(async (db) => {
    const { measurements, failures } = await measure(db, run);
    const lines = run.cases.flatMap((one, index) => summariesOf(one, measurements[index]!));
    process.stdout.write(`${table(lines)}\n`);
    for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
    if (run.json !== undefined) {
      const report = { ...(await circumstances(db, run, begun)), failures, lines };
      writeFileSync(run.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    return failures.length === 0 ? 0 : 1;
  }, run.database);
}

/** All rounds of all cases; what was measured stands by case. */
async function measure(
  db: DatabaseServer,
  { cases, rounds, bench: options }: Run,
): Promise<{ measurements: readonly Measurement[][]; failures: readonly string[] }> {
  const measurements: Measurement[][] = cases.map(() => []);
  const failures: string[] = [];
  let doing = '';
  const bench = new Bench({ ...options, db, say: (text) => note(`${doing}: ${text}`) });
  // Round by round, so that what disturbs the machine for a while disturbs one round of each, not all of one.
  for (let round = 1; round <= rounds; round++) {
    for (const [index, one] of cases.entries()) {
      if (round > (one.maxRounds ?? rounds)) continue;
      doing = `${one.id} round ${round}`;
      try {
        const some = await one.round(bench);
        measurements[index]!.push(...some);
        for (const measurement of some) bench.options.say(lineOf(measurement));
      } catch (error) {
        failures.push(`${doing}: ${error instanceof WrongResult ? error.message : String(error)}`);
        note(`FAILED ${failures.at(-1)}`);
      }
    }
  }
  return { measurements, failures };
}

function lineOf({ line, measured, reference }: Measurement): string {
  return `${line}: ${shown(measured)}${reference === undefined ? '' : ` (${shown(reference)})`}`;
}

function summariesOf({ lines }: Case, measurements: readonly Measurement[]): Summary[] {
  return lines.flatMap((line) => {
    const own = measurements.filter((measurement) => measurement.line === line.id);
    return own.length > 0 ? [summarise(line, own)] : [];
  });
}

/** On which machine, with which versions and options. */
async function circumstances(
  db: DatabaseServer,
  { bench: { short, writers, batchRows, keys, tableRows } }: Run,
  { startedAt, loadAverage }: { startedAt: string; loadAverage: number },
): Promise<object> {
  const [server] = await db.query('SELECT VERSION() v, @@log_bin log');
  return {
    ...{ startedAt, short, writers, batchRows, keys, tableRows },
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.cpus().length,
      memoryBytes: os.totalmem(),
      system: `${os.type()} ${os.release()}`,
      loadAverage,
    },
    binaryLog: Number(server?.['log']) === 1,
    node: process.version,
    versions: {
      [db.flavour]: String(server?.['v']),
      mysql2: versionOf('mysql2'),
      lmdb: versionOf('lmdb'),
      nact: versionOf('nact'),
      protobufjs: versionOf('protobufjs'),
    },
  };
}

const shown = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 4 });

await runTool(main, { endAtOnce: true });
