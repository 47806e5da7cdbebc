/** `npm run bench`: every case with its reference, in turn, several rounds; a table on stdout, JSON on request. */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { startServer } from '../../test/support/database-server.js';
import { benchArgs, serverProgram } from '../../test/support/server-program.js';
import { Bench, type Case, type Line, type Measurement, WrongResult } from './case.js';
import { connections, idle } from './cases/connections.js';
import { latency } from './cases/latency.js';
import { outage, recovery } from './cases/outage.js';
import { rereports } from './cases/rereports.js';
import { soak } from './cases/soak.js';
import { unique } from './cases/unique.js';
import { type Summary, summarise, table } from './summary.js';

const CASES: readonly Case[] = [unique, rereports, connections, idle, latency, outage, recovery, soak];
const USAGE = `npm run bench -- [options]
  --case IDS         only these cases, e.g. U,H (${CASES.map(({ id }) => id).join(' ')})
  --rounds N         rounds, at most, of each case (default 5)
  --writers N        writers.count (default 4)
  --batch-rows N     writers.maxBatchRows (default 1000)
  --keys N           distinct keys of U (default 500000)
  --table-rows N     other rows in the table before U begins (default 0)
  --soak-minutes N   length of S (default 1)
  --server NAME      mysql or mariadb11, fetched when it is not there, or the path of a server (default: the machine's MariaDB)
  --binary-log WHICH on or off (default: as the server has it, MySQL on, MariaDB off)
  --short            everything tiny: checks that it works, the numbers say nothing
  --json FILE        writes machine, versions and all rounds
`;

const say = (text: string) => process.stderr.write(`${text}\n`);

function versionOf(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function whole(text: string | undefined, byDefault: number): number {
  const value = text === undefined ? byDefault : Number(text);
  if (!(value > 0)) throw new TypeError(`${text} is not a number above 0`);
  return value;
}

function binaryLogOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text !== 'on' && text !== 'off') throw new TypeError('--binary-log takes on or off');
  return text === 'on';
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      case: { type: 'string' },
      rounds: { type: 'string' },
      writers: { type: 'string' },
      'batch-rows': { type: 'string' },
      keys: { type: 'string' },
      'table-rows': { type: 'string' },
      'soak-minutes': { type: 'string' },
      short: { type: 'boolean', default: false },
      server: { type: 'string' },
      'binary-log': { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const wanted = values.case?.toUpperCase().split(',');
  const cases = CASES.filter(({ id }) => wanted?.includes(id) ?? true);
  if (cases.length < (wanted?.length ?? 0)) throw new TypeError(`--case takes ${CASES.map(({ id }) => id)}`);
  const { short } = values;
  const rounds = whole(values.rounds, short ? 1 : 5);
  const startedAt = new Date().toISOString();
  const loadAverage = os.loadavg()[0]!;

  const program = serverProgram(values.server);
  const db = await startServer({ program, args: benchArgs(program, binaryLogOf(values['binary-log'])) });
  const failures: string[] = [];
  const summaries: Summary[] = [];
  try {
    const [server] = await db.query('SELECT VERSION() v, @@log_bin log');
    let doing = '';
    const bench = new Bench({
      db,
      short,
      soakMinutes: whole(values['soak-minutes'], 1),
      writers: whole(values.writers, 4),
      batchRows: whole(values['batch-rows'], 1000),
      keys: whole(values.keys, 500_000),
      tableRows: values['table-rows'] === undefined ? 0 : whole(values['table-rows'], 0),
      say: (text) => say(`${doing}: ${text}`),
    });
    const measurements: Measurement[][] = cases.map(() => []);
    // Round by round, so that what disturbs the machine for a while disturbs one round of each, not all of one.
    for (let round = 1; round <= rounds; round++) {
      for (const [index, one] of cases.entries()) {
        if (round > (one.maxRounds ?? rounds)) continue;
        doing = `${one.id} round ${round}`;
        try {
          const some = await one.round(bench);
          measurements[index]!.push(...some);
          for (const { line, measured, reference } of some)
            bench.options.say(
              `${line}: ${shown(measured)}${reference === undefined ? '' : ` (${shown(reference)})`}`,
            );
        } catch (error) {
          failures.push(`${doing}: ${error instanceof WrongResult ? error.message : String(error)}`);
          say(`FAILED ${failures.at(-1)}`);
        }
      }
    }
    for (const [index, one] of cases.entries())
      for (const line of one.lines as readonly Line[]) {
        const own = measurements[index]!.filter((measurement) => measurement.line === line.id);
        if (own.length > 0) summaries.push(summarise(line, own));
      }
    process.stdout.write(`${table(summaries)}\n`);
    for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
    if (values.json !== undefined) {
      const [cpu] = os.cpus();
      const report = {
        startedAt,
        short,
        writers: bench.options.writers,
        batchRows: bench.options.batchRows,
        keys: bench.options.keys,
        tableRows: bench.options.tableRows,
        machine: {
          cpu: cpu?.model ?? 'unknown',
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
        failures,
        lines: summaries,
      };
      writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    await db.destroy();
  }
  return failures.length === 0 ? 0 : 1;
}

const shown = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 4 });

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof TypeError ? `${error.message}\n${USAGE}` : String(error));
    process.exit(error instanceof TypeError ? 2 : 1);
  },
);
