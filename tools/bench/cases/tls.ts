import { TestAuthority } from '../../shared/certificates.js';
import { type Bench, type BenchTls, type Case, expectBalanced, type Measurement } from '../case.js';
import { digestOf, rowsOf } from '../rows.js';
import { throughReporter } from './rereports.js';
import { uniqueShape, throughReporter as uniqueThroughReporter } from './unique.js';

/** T: what TLS costs beside the same without. */
export const tls: Case = {
  id: 'T',
  maxRounds: 3,
  lines: [
    {
      id: 'T',
      title: 'H over TLS',
      unit: 'rows/s',
      reference: 'H without TLS',
      target: { of: 'ratio', atLeast: 0.5 },
    },
    {
      id: 'T store',
      title: 'U with TLS to the database',
      unit: 'rows/s',
      reference: 'U without TLS',
      target: { of: 'ratio', atLeast: 0.8 },
    },
    {
      id: 'T memory',
      title: 'memory of an idle connection with TLS (resident set, after gc)',
      unit: 'KiB',
      reference: 'without TLS',
      target: { of: 'measured', atMost: 64 },
    },
    {
      id: 'T handshakes',
      title: 'connections a second, 200 at a time, both sides on this machine',
      unit: '1/s',
      reference: 'without TLS',
    },
  ],
  round: (bench) =>
    bench.withDir(async (dir) => {
      const authority = new TestAuthority(dir);
      const own: BenchTls = { ca: authority.ca, ...authority.issue() };
      const secure = await throughReporter(bench, own);
      const plain = await throughReporter(bench);
      const [idleSecure, idlePlain] = [await idleWith(bench, own), await idleWith(bench)];
      const details = { microsPerRow: secure.cpuMicrosPerRow, plainMicrosPerRow: plain.cpuMicrosPerRow };
      const store = await toStore(bench);
      return [
        store,
        { line: 'T', measured: secure.rowsPerSecond, reference: plain.rowsPerSecond, details },
        { line: 'T memory', measured: idleSecure.kib, reference: idlePlain.kib },
        { line: 'T handshakes', measured: idleSecure.perSecond, reference: idlePlain.perSecond },
      ];
    }),
};

async function toStore(bench: Bench): Promise<Measurement> {
  const shape = uniqueShape(bench);
  const expected = digestOf(rowsOf(shape, 1));
  const secure = await uniqueThroughReporter(bench, shape, expected, '?ssl-mode=REQUIRED');
  const plain = await uniqueThroughReporter(bench, shape, expected);
  const details = {
    microsPerRow: secure.cpuMicrosPerRow,
    plainMicrosPerRow: plain.cpuMicrosPerRow,
    databaseMicrosPerRow: secure.databaseMicrosPerRow,
    plainDatabaseMicrosPerRow: plain.databaseMicrosPerRow,
  };
  return { line: 'T store', measured: secure.rowsPerSecond, reference: plain.rowsPerSecond, details };
}

function idleWith(
  bench: Bench,
  own?: BenchTls,
): Promise<{ readonly kib: number; readonly perSecond: number }> {
  return bench.withProcesses(
    'free',
    async ({ reporter, load, port: plainPort }) => {
      const count = bench.size(2000, 200);
      const port = own ? await reporter.call('securePort') : plainPort;
      const ca = own ? { ca: own.ca } : {};
      // The first hundred pay for what all share.
      await load.call('connect', { port, connections: 100, ...ca });
      const before = await reporter.call('usage', { gc: true });
      const beganMs = performance.now();
      await load.call('connect', { port, connections: 100 + count, ...ca });
      const seconds = (performance.now() - beganMs) / 1000;
      const after = await reporter.call('usage', { gc: true });
      await expectBalanced(reporter, 0);
      return { kib: (after.rssBytes - before.rssBytes) / count / 1024, perSecond: count / seconds };
    },
    own,
  );
}
