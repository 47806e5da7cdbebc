/**
 * Where the microseconds of a row go: runs A, U, H and C (10 connections) with a sampling profiler on the reporter's main thread during
 * the measured stretch, and adds up functions by stage. `npm run --silent build && node dist/tools/bench/profile.js`
 */
import { note, numberOf, optionsOf, runTool } from '../shared/tool.js';
import { Bench } from './case.js';
import { costAt } from './cases/connections.js';
import { throughReporter as atLoad, LOADS } from './cases/economy.js';
import { throughReporter as throughFlood } from './cases/rereports.js';
import { throughReporter as throughUnique } from './cases/unique.js';
import { withDatabase } from './database.js';
import type { FunctionTimes } from './function-times.js';
import { digestOf, rowsOf, type Shape } from './rows.js';
import { stageOf } from './stages.js';

interface Profile {
  readonly times: FunctionTimes;
  readonly rows: number;
  readonly cpuMicros: number;
}

async function main(): Promise<number> {
  const values = optionsOf(process.argv.slice(2), {
    functions: { type: 'string', default: '12' },
    writers: { type: 'string', default: '4' },
    case: { type: 'string', default: 'A,U,H,C' },
    connections: { type: 'string', default: '10' },
  });
  const functions = numberOf('--functions', values.functions, { from: 0, to: 10_000 });
  const connections = numberOf('--connections', values.connections, { from: 1, to: 10_000 });
  const profiles = new Map<string, Profile>();
  await withDatabase(async (db) => {
    const bench = new Bench({
      db,
      short: false,
      soakMinutes: 1,
      writers: numberOf('--writers', values.writers, { from: 1, to: 1024 }),
      batchRows: 2000,
      keys: 500_000,
      tableRows: 0,
      say: note,
      onProfile: (id, times, rows, cpuMicros) => profiles.set(id, { times, rows, cpuMicros }),
    });
    const shape: Shape = { agents: 10, services: 5000, hosts: 10 };
    if (values.case.includes('A')) await atLoad(bench, LOADS[0]!);
    if (values.case.includes('U')) await throughUnique(bench, shape, digestOf(rowsOf(shape, 1)));
    if (values.case.includes('H')) await throughFlood(bench);
    if (values.case.includes('C')) await costAt(bench, connections);
  });
  for (const [id, profile] of profiles) process.stdout.write(`${report(id, profile, functions)}\n`);
  return 0;
}

function report(id: string, { times, rows, cpuMicros }: Profile, functions: number): string {
  const stages = new Map<string, number>();
  for (const [name, micros] of Object.entries(times)) {
    const stage = stageOf(name);
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

await runTool(main, { endAtOnce: true });
