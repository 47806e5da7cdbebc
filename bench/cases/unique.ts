import { type Bench, type Case, expectBalanced, expectSame } from '../case.js';
import type { RawApi } from '../processes/raw.js';
import { type Digest, digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

const RAW_CONNECTIONS = 3;
const NAIVE_CONNECTIONS = 3;
const BATCH_ROWS = 1000;

/** U and U′: distinct keys as fast as they go to MariaDB, against bare mysql2 scripts with the same rows. */
export const unique: Case = {
  id: 'U',
  lines: [
    {
      id: 'U',
      title: 'unique rows into MariaDB',
      unit: 'rows/s',
      reference: `bare mysql2, prebuilt sorted ${BATCH_ROWS}-row upserts, ${RAW_CONNECTIONS} connections`,
      target: { of: 'ratio', atLeast: 0.7 },
    },
    {
      id: 'U′',
      title: 'the same rows',
      unit: 'rows/s',
      reference: `naive: one INSERT a row, round-robin to ${NAIVE_CONNECTIONS} connections (rate over a part of the rows)`,
      target: { of: 'ratio', atLeast: 20 },
    },
  ],
  async round(bench) {
    const shape: Shape = {
      agents: 10,
      services: bench.size(Math.ceil(bench.options.keys / 100), 100),
      hosts: 10,
    };
    const expected = digestOf(rowsOf(shape, 1));
    const measured = await throughReporter(bench, shape, expected);
    const raw = await throughScript(bench, shape, RAW_CONNECTIONS, BATCH_ROWS, keysOf(shape), expected);
    const some = Math.min(keysOf(shape) / 10, bench.size(10_000, 500));
    const someExpected = digestOf(rowsOf({ ...shape, agents: 1, services: some / shape.hosts }, 1));
    const naive = await throughScript(bench, shape, NAIVE_CONNECTIONS, 1, some, someExpected);
    const details = { nodeMicrosPerRow: measured.cpuMicrosPerRow };
    return [
      { line: 'U', measured: measured.rowsPerSecond, reference: raw, details },
      { line: 'U′', measured: measured.rowsPerSecond, reference: naive, details: { naiveRows: some } },
    ];
  },
};

/** From the first write of the agents until the store has confirmed the last row. */
export function throughReporter(
  bench: Bench,
  shape: Shape,
  expected: Digest,
): Promise<{ rowsPerSecond: number; cpuMicrosPerRow: number }> {
  const keys = keysOf(shape);
  return bench.withTable(({ name, url }) =>
    bench.withProcesses({ url }, async ({ reporter, load, port }) => {
      await load.call('prepare', { shape, version: 1 });
      await load.call('connect', { port, connections: shape.agents });
      let elapsedMs = 0;
      const cpuMicros = await bench.cpuMicros('U', reporter, async () => {
        const began = performance.now();
        const stored = reporter.call('until', { count: 'upserted', is: keys, boundMs: 300_000 });
        await load.call('sendAll');
        await stored;
        elapsedMs = performance.now() - began;
        return keys;
      });
      await expectBalanced(reporter, keys);
      expectSame('the table', await bench.digest(name), expected);
      return { rowsPerSecond: (keys / elapsedMs) * 1000, cpuMicrosPerRow: cpuMicros / keys };
    }),
  );
}

/** Rows a second of a script that does nothing else. */
export function throughScript(
  bench: Bench,
  shape: Shape,
  connections: number,
  batchRows: number,
  rows: number,
  expected: Digest,
): Promise<number> {
  return bench.withTable(async ({ name, url }) => {
    const raw = new Worker<RawApi>('raw');
    try {
      await raw.call('prepare', { url, connections, batchRows, shape, version: 1, rows });
      const elapsedMs = await raw.call('run');
      expectSame('the table of the reference', await bench.digest(name), expected);
      return (rows / elapsedMs) * 1000;
    } finally {
      await raw.end('SIGKILL');
    }
  });
}
