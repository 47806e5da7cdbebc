import { type Bench, type Case, expectBalanced, expectSame } from '../case.js';
import type { RawApi } from '../processes/raw.js';
import { type Digest, digestOf, keysOf, rowsOf, type Shape } from '../rows.js';
import { Worker } from '../rpc.js';

export const RAW_CONNECTIONS = 3;
const NAIVE_CONNECTIONS = 3;
const BATCH_ROWS = 1000;
/** Share of the rows that goes through everything before the clock starts: a reporter runs for months, not seconds. */
const WARM_UP = 0.2;

/** U and U′: distinct keys as fast as they go to MariaDB, against bare mysql2 scripts with the same rows. */
export const unique: Case = {
  id: 'U',
  lines: [
    {
      id: 'U',
      title: 'unique rows into the database',
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
    const shape = uniqueShape(bench);
    const expected = digestOf(rowsOf(shape, 1));
    const measured = await throughReporter(bench, shape, expected);
    const raw = await throughScript(bench, shape, RAW_CONNECTIONS, BATCH_ROWS, keysOf(shape), expected);
    const some = Math.min(keysOf(shape) / 10, bench.size(10_000, 500));
    const someExpected = digestOf(rowsOf({ ...shape, agents: 1, services: some / shape.hosts }, 1));
    const naive = await throughScript(bench, shape, NAIVE_CONNECTIONS, 1, some, someExpected);
    const details = {
      nodeMicrosPerRow: measured.cpuMicrosPerRow,
      databaseMicrosPerRow: measured.databaseMicrosPerRow,
      rawDatabaseMicrosPerRow: raw.databaseMicrosPerRow,
    };
    return [
      { line: 'U', measured: measured.rowsPerSecond, reference: raw.rowsPerSecond, details },
      {
        line: 'U′',
        measured: measured.rowsPerSecond,
        reference: naive.rowsPerSecond,
        details: { naiveRows: some },
      },
    ];
  },
};

export function uniqueShape(bench: Bench): Shape {
  return { agents: 10, services: bench.size(Math.ceil(bench.options.keys / 100), 100), hosts: 10 };
}

interface Rate {
  readonly rowsPerSecond: number;
  readonly databaseMicrosPerRow: number;
}

/** From the first write of the agents until the store has confirmed the last row. `query` is added to the address of the store. */
export function throughReporter(
  bench: Bench,
  shape: Shape,
  expected: Digest,
  query = '',
): Promise<Rate & { cpuMicrosPerRow: number; mainMicrosPerRow: number }> {
  const keys = keysOf(shape);
  return bench.withTable(({ name, url }) =>
    bench.withProcesses({ url: url + query }, async ({ reporter, load, port }) => {
      await load.call('connect', { port, connections: shape.agents });
      const warm = warmUpOf(shape);
      await load.call('prepare', { shape: warm, version: 1 });
      await load.call('sendAll');
      await reporter.call('until', { count: 'upserted', is: keysOf(warm), boundMs: 60_000 });
      await bench.refill(name);

      await load.call('prepare', { shape, version: 1 });
      let elapsedMs = 0;
      const databaseBefore = bench.databaseCpuMicros();
      const cpu = await bench.cpuMicros('U', reporter, async () => {
        const began = performance.now();
        const total = keysOf(warm) + keys;
        const stored = reporter.call('until', { count: 'upserted', is: total, boundMs: 300_000 });
        await load.call('sendAll');
        await stored;
        elapsedMs = performance.now() - began;
        return keys;
      });
      const databaseMicros = bench.databaseCpuMicros() - databaseBefore;
      await expectBalanced(reporter, keysOf(warm) + keys);
      expectSame('the table', await bench.digest(name), expected);
      return {
        rowsPerSecond: (keys / elapsedMs) * 1000,
        cpuMicrosPerRow: cpu.all / keys,
        mainMicrosPerRow: cpu.main / keys,
        databaseMicrosPerRow: databaseMicros / keys,
      };
    }),
  );
}

/** The same agents with fewer services. */
function warmUpOf(shape: Shape): Shape {
  return { ...shape, services: Math.ceil(shape.services * WARM_UP) };
}

/** Rows a second of a script that does nothing else, warmed up as the reporter is. */
export function throughScript(
  bench: Bench,
  shape: Shape,
  connections: number,
  batchRows: number,
  rows: number,
  expected: Digest,
): Promise<Rate> {
  return bench.withTable(async ({ name, url }) => {
    const raw = new Worker<RawApi>('raw');
    const job = { url, connections, batchRows, shape, version: 1 };
    try {
      await raw.call('prepare', { ...job, rows: Math.ceil(rows * WARM_UP) });
      await raw.call('run');
      await bench.refill(name);
      await raw.call('prepare', { ...job, rows });
      const databaseBefore = bench.databaseCpuMicros();
      const elapsedMs = await raw.call('run');
      const databaseMicros = bench.databaseCpuMicros() - databaseBefore;
      expectSame('the table of the reference', await bench.digest(name), expected);
      return { rowsPerSecond: (rows / elapsedMs) * 1000, databaseMicrosPerRow: databaseMicros / rows };
    } finally {
      await raw.end('SIGKILL');
    }
  });
}
