/**
 * How the cost of a row grows with what surrounds it: U against its reference, one thing varied at a time, and what
 * pending keys take. `npm run --silent build && node dist/tools/bench/growth.js [--rounds N] [--only NAME] [--server NAME]`
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseServer } from '../shared/database-server.js';
import { note, numberOf, optionsOf, runTool } from '../shared/tool.js';
import { Bench, type BenchOptions, expectBalanced, median } from './case.js';
import { RAW_CONNECTIONS, throughReporter, throughScript } from './cases/unique.js';
import { withDatabase } from './database.js';
import { digestOf, keysOf, rowsOf, type Shape } from './rows.js';

type Varied = Partial<Pick<BenchOptions, 'writers' | 'batchRows' | 'keys' | 'tableRows'>>;

interface Series {
  readonly name: string;
  readonly title: string;
  readonly values: readonly number[];
  readonly options: (value: number) => Varied;
}

const SERIES: readonly Series[] = [
  { name: 'writers', title: '`writers.count`', values: [1, 2, 3, 4, 6], options: (writers) => ({ writers }) },
  {
    name: 'batch-rows',
    title: '`writers.maxBatchRows`',
    values: [100, 500, 1000, 2000, 4000],
    options: (batchRows) => ({ batchRows }),
  },
  {
    name: 'keys',
    title: 'distinct keys at once',
    values: [10_000, 100_000, 1_000_000],
    options: (keys) => ({ keys }),
  },
  {
    name: 'table-rows',
    title: 'other rows in the table',
    values: [10_000, 100_000, 1_000_000, 10_000_000],
    options: (tableRows) => ({ tableRows }),
  },
];
const PENDING_KEYS = [10_000, 100_000, 1_000_000];
/** Filling such a table takes minutes: one round must do. */
const LARGE_TABLE = 5_000_000;

const shown = (value: number, digits = 3) =>
  value.toLocaleString('en-US', { maximumSignificantDigits: digits });

function benchWith(db: DatabaseServer, varied: Varied): Bench {
  const defaults = { short: false, soakMinutes: 1, writers: 4, batchRows: 1000, keys: 500_000, tableRows: 0 };
  return new Bench({ ...defaults, ...varied, db, say: note });
}

/** What is measured of one value, a round each. */
interface Measured {
  readonly rates: number[];
  readonly ratios: number[];
  readonly costs: number[];
  readonly databaseCosts: number[];
}

async function run(
  db: DatabaseServer,
  { name, title, values, options }: Series,
  rounds: number,
): Promise<string> {
  const all = new Map<number, Measured>(
    values.map((value) => [value, { rates: [], ratios: [], costs: [], databaseCosts: [] }]),
  );
  // Values take turns: what else the machine does disturbs all of them.
  for (let round = 0; round < rounds; round++)
    for (const [value, measured] of all) {
      const bench = benchWith(db, options(value));
      if (round === 0 || bench.options.tableRows < LARGE_TABLE) await measure(bench, measured);
      note(
        `${name} ${shown(value)}: ${shown(measured.rates.at(-1)!)} rows/s, ${shown(measured.ratios.at(-1)!)} ×`,
      );
    }
  const lines = [...all].map(
    ([value, { rates, ratios, costs, databaseCosts }]) =>
      `| ${shown(value, 8)} | ${shown(median(rates))} | ${shown(median(ratios), 2)} | ${spread(costs)} | ${spread(databaseCosts)} |`,
  );
  return [
    `| ${title} | rows/s | ratio to bare mysql2 | CPU of the reporter, µs a row | CPU of the database, µs a row |`,
    '| - | - | - | - | - |',
    ...lines,
  ].join('\n');
}

async function measure(bench: Bench, { rates, ratios, costs, databaseCosts }: Measured): Promise<void> {
  const shape: Shape = { agents: 10, services: Math.ceil(bench.options.keys / 100), hosts: 10 };
  const expected = digestOf(rowsOf(shape, 1));
  const measured = await throughReporter(bench, shape, expected);
  const raw = await throughScript(bench, shape, RAW_CONNECTIONS, 1000, keysOf(shape), expected);
  rates.push(measured.rowsPerSecond);
  ratios.push(measured.rowsPerSecond / raw.rowsPerSecond);
  costs.push(measured.cpuMicrosPerRow);
  databaseCosts.push(measured.databaseMicrosPerRow);
}

/** Median (lowest … highest). */
const spread = (values: readonly number[]) =>
  `${shown(median(values))} (${shown(Math.min(...values))} … ${shown(Math.max(...values))})`;

/** What distinct keys take that the store, being away, does not. */
async function pending(db: DatabaseServer): Promise<string> {
  const lines = [
    '| pending keys | live memory, bytes a key | resident, MB | journal file, MB |',
    '| - | - | - | - |',
  ];
  const bench = benchWith(db, {});
  for (const keys of PENDING_KEYS) {
    const line = await bench.withProcesses('away', async ({ reporter, load, port, dir }) => {
      const shape: Shape = { agents: 10, services: keys / 100, hosts: 10 };
      const empty = await reporter.call('usage', { gc: true });
      await load.call('connect', { port, connections: shape.agents });
      await load.call('prepare', { shape, version: 1 });
      await load.call('sendAll');
      await reporter.call('until', { count: 'received', is: keys, boundMs: 120_000 });
      await expectBalanced(reporter, keys, keys);
      const full = await reporter.call('usage', { gc: true });
      const bytes = (full.liveBytes - empty.liveBytes) / keys;
      const fileBytes = statSync(path.join(dir, 'journal', 'data.mdb')).size;
      return `| ${shown(keys, 8)} | ${shown(bytes)} | ${shown(full.rssBytes / 1e6)} | ${shown(fileBytes / 1e6)} |`;
    });
    note(line);
    lines.push(line);
  }
  return lines.join('\n');
}

async function main(): Promise<number> {
  const values = optionsOf(process.argv.slice(2), {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    server: { type: 'string' },
  });
  const rounds = numberOf('--rounds', values.rounds, { from: 1, to: 1000 });
  await withDatabase(
    async (db) => {
      for (const series of SERIES)
        if ((values.only ?? series.name) === series.name)
          process.stdout.write(`${await run(db, series, rounds)}\n\n`);
      if ((values.only ?? 'pending') === 'pending') process.stdout.write(`${await pending(db)}\n`);
    },
    { server: values.server },
  );
  return 0;
}

await runTool(main, { endAtOnce: true });
