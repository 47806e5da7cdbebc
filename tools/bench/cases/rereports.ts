import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Case, expectBalanced, expectSame } from '../case.js';
import type { LoadApi } from '../processes/load.js';
import type { SinkApi } from '../processes/sink.js';
import { digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const CONNECTIONS = 10;
const SHAPE: Shape = { agents: CONNECTIONS, services: 1000, hosts: 10, shared: true };

/** H: the same 10,000 keys again and again, as fast as TCP takes them. */
export const rereports: Case = {
  id: 'H',
  lines: [
    {
      id: 'H',
      title: 're-reports of 1,000 services × 10 hosts: received, journaled, coalesced',
      unit: 'rows/s',
      reference: 'sink: the same sockets, frames and decoder; rows are dropped',
      target: { of: 'ratio', atLeast: 0.45 },
    },
  ],
  async round(bench) {
    const { rowsPerSecond, cpuMicrosPerRow } = await throughReporter(bench);
    const sink = await throughSink(bench);
    const details = { nodeMicrosPerRow: cpuMicrosPerRow, sinkMicrosPerRow: sink.cpuMicrosPerRow };
    return [{ line: 'H', measured: rowsPerSecond, reference: sink.rowsPerSecond, details }];
  },
};

interface Rate {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

export function throughReporter(bench: Bench): Promise<Rate & { mainMicrosPerRow: number }> {
  return bench.withProcesses('free', async ({ reporter, load, port }) => {
    await startFlood(load, port);
    await sleep(bench.size(1000, 100));
    const before = await reporter.call('ledger');
    let after = before;
    const cpu = await bench.cpuMicros('H', reporter, async () => {
      await sleep(bench.size(3000, 300));
      after = await reporter.call('ledger');
      return after.received - before.received;
    });
    const sent = await load.call('stop');
    await reporter.call('until', { count: 'received', is: sent, boundMs: 30_000 });
    // Whatever was sent last by any of them holds these values.
    await reporter.call('record');
    await load.call('prepare', { shape: SHAPE, version: 2 });
    await load.call('sendAll');
    const total = sent + CONNECTIONS * keysOf(SHAPE);
    await reporter.call('until', { count: 'received', is: total, boundMs: 30_000 });
    await reporter.call('until', { count: 'pending', is: 0, boundMs: 30_000 });
    await expectBalanced(reporter, total);
    expectSame('the store', await reporter.call('recorded'), digestOf(rowsOf(SHAPE, 2)));
    const rows = after.received - before.received;
    return { ...rate(rows, after.atMs - before.atMs, cpu.all), mainMicrosPerRow: cpu.main / rows };
  });
}

async function throughSink(bench: Bench): Promise<Rate> {
  const sink = new Worker<SinkApi>('sink');
  const load = new Worker<LoadApi>('load');
  try {
    await startFlood(load, await sink.call('listen'));
    await sleep(bench.size(1000, 100));
    const before = await sink.call('ledger');
    await sleep(bench.size(3000, 300));
    const after = await sink.call('ledger');
    await load.call('stop');
    return rate(
      after.received - before.received,
      after.atMs - before.atMs,
      after.cpuMicros - before.cpuMicros,
    );
  } finally {
    await Promise.all([sink.end('SIGKILL'), load.end('SIGKILL')]);
  }
}

async function startFlood(load: Worker<LoadApi>, port: number): Promise<void> {
  await load.call('prepare', { shape: SHAPE, version: 1 });
  await load.call('connect', { port, connections: CONNECTIONS });
  await load.call('flood', {});
}

function rate(rows: number, elapsedMs: number, cpuMicros: number): Rate {
  return { rowsPerSecond: (rows / elapsedMs) * 1000, cpuMicrosPerRow: cpuMicros / rows };
}
