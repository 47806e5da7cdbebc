/**
 * Where the microseconds of a row go: runs U, H and C (10 connections) with a sampling profiler on the reporter's main thread during
 * the measured stretch, and adds up functions by stage. `npm run --silent build && node dist/tools/bench/profile.js`
 */
import { parseArgs } from 'node:util';
import { startServer } from '../../test/support/database-server.js';
import { benchArgs, serverProgram } from '../../test/support/server-program.js';
import { Bench, type FunctionTimes } from './case.js';
import { costAt } from './cases/connections.js';
import { throughReporter as throughFlood } from './cases/rereports.js';
import { throughReporter as throughUnique } from './cases/unique.js';
import { digestOf, rowsOf, type Shape } from './rows.js';

/** The first pattern that fits `file:function` names the stage. */
const STAGES: readonly (readonly [stage: string, pattern: RegExp])[] = [
  ['idle', /^:\(idle\)/],
  ['garbage collection', /^:\(garbage collector\)/],
  ['the profiler itself', /inspector/],
  ['frame', /wire\/frame/],
  ['decode', /wire\/messages|protobufjs|row-buffer/],
  ['SQL text', /store\/mysql\/upsert/],
  // The reporter writes to no other sockets than the database's.
  ['driver, write to the socket', /mysql2|sql-escaper|store\/mysql|stream_base_commons/],
  [
    'order, take, confirm',
    /partition\/order|:#?(take|next|pass|waitingSlots|confirm|unchangedKeys|remove|release)$/,
  ],
  ['fold', /partition\/pending/],
  ['route: merge', /routing\/|partition\/hash|murmur|rowmap|merge/],
  ['journal', /journal\/|lmdb|msgpackr|ordered-binary|weak-lru|crc32|zlib/],
  ['actors', /runtime\/|intake\/|writer\/|nact|reporter\.js/],
  ['read, event loop', /node:/],
];

interface Profile {
  readonly times: FunctionTimes;
  readonly rows: number;
  readonly cpuMicros: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      functions: { type: 'string', default: '12' },
      writers: { type: 'string', default: '4' },
      case: { type: 'string', default: 'U,H,C' },
      connections: { type: 'string', default: '10' },
    },
  });
  const program = serverProgram();
  const db = await startServer({ program, args: benchArgs(program) });
  const profiles = new Map<string, Profile>();
  const bench = new Bench({
    db,
    short: false,
    soakMinutes: 1,
    writers: Number(values.writers),
    batchRows: 1000,
    keys: 500_000,
    tableRows: 0,
    say: (text) => process.stderr.write(`${text}\n`),
    onProfile: (id, times, rows, cpuMicros) => profiles.set(id, { times, rows, cpuMicros }),
  });
  try {
    const shape: Shape = { agents: 10, services: 5000, hosts: 10 };
    if (values.case.includes('U')) await throughUnique(bench, shape, digestOf(rowsOf(shape, 1)));
    if (values.case.includes('H')) await throughFlood(bench);
    if (values.case.includes('C')) await costAt(bench, Number(values.connections));
  } finally {
    await db.destroy();
  }
  for (const [id, profile] of profiles)
    process.stdout.write(`${report(id, profile, Number(values.functions))}\n`);
}

function report(id: string, { times, rows, cpuMicros }: Profile, functions: number): string {
  const stages = new Map<string, number>();
  for (const [name, micros] of Object.entries(times)) {
    const stage = STAGES.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';
    stages.set(stage, (stages.get(stage) ?? 0) + micros);
  }
  const perRow = (micros: number) => (micros / rows).toFixed(3).padStart(7);
  const byTime = (a: readonly [string, number], b: readonly [string, number]) => b[1] - a[1];
  return [
    `${id}: ${rows} rows, CPU of all threads ${perRow(cpuMicros)} µs/row; main thread by stage, µs/row:`,
    ...[...stages].sort(byTime).map(([stage, micros]) => `${perRow(micros)}  ${stage}`),
    'by function:',
    ...Object.entries(times)
      .sort(byTime)
      .slice(0, functions)
      .map(([name, micros]) => `${perRow(micros)}  ${name}`),
    '',
  ].join('\n');
}

await main();
process.exit();
