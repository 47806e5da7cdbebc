import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, median, stopAndExpectAll } from '../case.js';
import type { Shape } from '../rows.js';

/** Half of what U reaches on two cores. */
const ROWS_PER_SECOND = 100_000;
const WARM_UP = 0.2;

/** S: memory over time. */
export const soak: Case = {
  id: 'S',
  maxRounds: 1,
  lines: [
    {
      id: 'S',
      title: `${ROWS_PER_SECOND / 1000},000 rows/s into the database: resident set in the last quarter of the run`,
      unit: 'MB',
      reference: 'in the first quarter behind the warm-up (a fifth of the run)',
      target: { of: 'ratio', atMost: 1.05 },
    },
  ],
  round: (bench) =>
    bench.withTable(({ name, url }) =>
      bench.withProcesses({ url }, async (processes) => {
        const { reporter, load, port } = processes;
        const shape: Shape = { agents: 100, services: bench.size(500, 20), hosts: 10 };
        const durationMs = bench.size(bench.options.soakMinutes * 60_000, 2000);
        await load.call('connect', { port, connections: shape.agents });
        await load.call('prepare', { shape, version: 1 });
        await load.call('pace', { rowsPerSecond: ROWS_PER_SECOND });
        const began = performance.now();
        const memory: number[] = [];
        let mostPending = 0;
        while (performance.now() - began < durationMs) {
          await sleep(bench.size(1000, 50));
          memory.push((await reporter.call('usage', {})).rssBytes / 1e6);
          mostPending = Math.max(mostPending, (await reporter.call('ledger')).pending);
          if (memory.length % 15 === 0) bench.options.say(`${memory.at(-1)!.toFixed(0)} MB`);
        }
        const sent = await stopAndExpectAll(bench, processes, shape, name);
        const warm = memory.slice(Math.floor(memory.length * WARM_UP));
        const quarter = Math.ceil(warm.length / 4);
        const details = {
          rowsPerSecond: (sent / durationMs) * 1000,
          mostPending,
          seconds: durationMs / 1000,
        };
        const reference = median(warm.slice(0, quarter));
        return [{ line: 'S', measured: median(warm.slice(-quarter)), reference, details }];
      }),
    ),
};
