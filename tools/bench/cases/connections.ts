import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bench,
  type Case,
  expectBalanced,
  type Line,
  type Measurement,
  stopAndExpectAll,
} from '../case.js';
import type { Shape } from '../rows.js';

/** A fifth of what U reaches on two cores. */
const ROWS_PER_SECOND = 40_000;
const HOSTS = 10;
const COUNTS = [10, 1, 100, 1000, 10_000];
const [REFERENCE = 10, ...OTHERS] = COUNTS;

const name = (connections: number) => connections.toLocaleString('en-US');

/** C: does a row cost more when it comes over another connection? */
export const connections: Case = {
  id: 'C',
  maxRounds: 3,
  lines: OTHERS.map(
    (count): Line => ({
      id: `C ${count}`,
      title: `CPU of the reporter at ${name(count)} connection${count === 1 ? '' : 's'}, ${name(ROWS_PER_SECOND)} rows/s, one report a write`,
      unit: 'µs/row',
      reference: `${REFERENCE} connections`,
      target: { of: 'ratio', atMost: 1.25 },
    }),
  ),
  async round(bench) {
    const costs = new Map<number, number>();
    for (const count of bench.options.short ? [10, 1, 100] : COUNTS) {
      if (!mayOpen(bench, count)) continue;
      costs.set(count, await costAt(bench, count));
      bench.options.say(`${name(count)} connections: ${costs.get(count)!.toFixed(2)} µs/row`);
    }
    const reference = costs.get(REFERENCE)!;
    costs.delete(REFERENCE);
    return [...costs].map(([count, measured]): Measurement => ({ line: `C ${count}`, measured, reference }));
  },
};

export async function costAt(bench: Bench, agents: number): Promise<number> {
  // The same number of keys, whoever reports them.
  const shape: Shape = { agents, services: bench.size(10_000, 1000) / agents, hosts: HOSTS };
  return bench.withTable(({ name: database, url }) =>
    bench.withProcesses({ url }, async (processes) => {
      const { reporter, load, port } = processes;
      await load.call('connect', { port, connections: agents });
      await load.call('prepare', { shape, version: 1 });
      await load.call('pace', { rowsPerSecond: ROWS_PER_SECOND });
      await sleep(bench.size(1500, 100));
      const before = await reporter.call('ledger');
      let after = before;
      const { all: cpuMicros } = await bench.cpuMicros(`C ${agents}`, reporter, async () => {
        await sleep(bench.size(4000, 200));
        after = await reporter.call('ledger');
        return after.received - before.received;
      });
      await stopAndExpectAll(bench, processes, shape, database);
      return cpuMicros / (after.received - before.received);
    }),
  );
}

/** I: agents that are connected and silent. */
export const idle: Case = {
  id: 'I',
  maxRounds: 3,
  lines: [
    {
      id: 'I memory',
      title: 'memory of an idle connection (resident set, after gc)',
      unit: 'KiB',
      reference: '',
      target: { of: 'measured', atMost: 16 },
    },
    {
      id: 'I cpu',
      title: 'CPU of 10,000 idle connections, in % of a core',
      unit: '%',
      reference: 'none connected',
      target: { of: 'measured', atMost: 1 },
    },
  ],
  round: (bench) =>
    bench.withProcesses('free', async ({ reporter, load, port }) => {
      const count = mayOpen(bench, 10_000) ? bench.size(10_000, 200) : 1000;
      const idleMs = bench.size(4000, 300);
      // The first hundred pay for what all share.
      await load.call('connect', { port, connections: 100 });
      await sleep(200);
      const cpuShare = async () => {
        const before = await reporter.call('usage', {});
        await sleep(idleMs);
        return ((await reporter.call('usage', {})).cpuMicros - before.cpuMicros) / (idleMs * 10);
      };
      const alone = await cpuShare();
      const before = await reporter.call('usage', { gc: true });
      await load.call('connect', { port, connections: 100 + count });
      await sleep(500);
      const after = await reporter.call('usage', { gc: true });
      const crowded = await cpuShare();
      await expectBalanced(reporter, 0);
      const kib = (after.rssBytes - before.rssBytes) / count / 1024;
      const details = { connections: count, liveKiB: (after.liveBytes - before.liveBytes) / count / 1024 };
      return [
        { line: 'I memory', measured: kib, details },
        { line: 'I cpu', measured: crowded, reference: alone, details },
      ];
    }),
};

/** Whether processes may open that many sockets; prints a note when not. */
function mayOpen(bench: Bench, count: number): boolean {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  if (limit === 'unlimited' || Number(limit) >= count + 200) return true;
  bench.options.say(
    `left out: ${count} connections need a higher limit of open files than ${limit} (ulimit -n)`,
  );
  return false;
}
