import { connect } from 'node:net';
import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { partitionOf, type Report, startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport, OrderChecker, until, WriterCrashes } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };

/** A report on one service that falls on the given partition of two. */
function reportFor(partition: number, caller: number, round: number): Report {
  return numberedReport(SERVICE_OF[partition]!, caller, 50, round);
}

/** For each of two partitions the first service of `numberedReport` that falls on it. */
const SERVICE_OF = [0, 1].map((partition) =>
  Array.from({ length: 100 }, (_, service) => service).find((service) => {
    const { modid, cmdid } = numberedReport(service, 1, 0, 1);
    return partitionOf(modid, cmdid, 2) === partition;
  }),
);

test('while one writer cannot journal, only connections with rows for it are slowed; memory stays within the budget', async (t) => {
  const order = new OrderChecker();
  const crashes = new WriterCrashes();
  crashes.at('before-persist', { partition: 0, times: Number.POSITIVE_INFINITY });
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0, maxInflightBytes: 1_000_000 },
      writers: { count: 2 },
      journal: { dir: `${tempDir(t)}/journal` },
      supervision: { backoffMs: 10, maxBackoffMs: 20, maxRestarts: 3 },
    },
    { store: order.watch(new MemoryStore()), atStep: crashes.atStep },
  );
  t.teardown(() => reporter.stop());

  const flood = (partition: number, caller: number) => {
    const socket = connect({ host: '127.0.0.1', port: reporter.address.port });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    let round = 0;
    const state = { sent: 0, stop: false, socket };
    const pump = () => {
      while (!state.stop) {
        state.sent = ++round;
        const report = reportFor(partition, caller, round);
        order.sent(report);
        if (!socket.write(encodeReportFrame(report))) {
          socket.once('drain', pump);
          return;
        }
      }
      socket.end();
    };
    socket.once('connect', pump);
    return state;
  };
  const slowed = [flood(0, 1), flood(0, 2)];
  const free = flood(1, 1);
  const ledgers = () => reporter.status().writers.map((writer) => writer.ledger.received);
  await until(() => reporter.status().writers[0]!.state === 'failing', {
    ...BOUND,
    what: 'the writer to show as failing',
  });
  const before = ledgers();
  await until(() => ledgers()[1]! > before[1]! + 100_000, {
    ...BOUND,
    what: 'the other connection to go on',
  });
  t.is(ledgers()[0], 0);
  t.true(reporter.status().inflightBytes <= 1_000_000 + 65_536);
  t.true(
    slowed.every(({ socket }) => socket.writableNeedDrain),
    'TCP holds the others back',
  );
  t.is(reporter.status().traffic.connections, 3, 'none was dropped');

  crashes.heal();
  for (const state of [...slowed, free]) state.stop = true;
  const all = () => [(slowed[0]!.sent + slowed[1]!.sent) * 50, free.sent * 50];
  await until(() => ledgers().join() === all().join(), { ...BOUND, what: 'everything held back' });
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  t.true(reporter.ledger().balanced);
  t.notThrows(() => order.verify());
  t.is(reporter.status().inflightBytes, 0);
});

test('with more connections than the budget has room for, what is read and not journaled stays within it', async (t) => {
  const crashes = new WriterCrashes();
  crashes.at('before-persist', { times: Number.POSITIVE_INFINITY });
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0, maxInflightBytes: 300_000 },
      writers: { count: 1 },
      journal: { dir: `${tempDir(t)}/journal` },
      supervision: { backoffMs: 5, maxBackoffMs: 10 },
    },
    { store: new MemoryStore(), atStep: crashes.atStep },
  );
  t.teardown(() => reporter.stop());
  const frames = Buffer.concat(
    Array.from({ length: 100 }, (_, round) => encodeReportFrame(reportFor(0, 1, round + 1))),
  );
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect({ host: '127.0.0.1', port: reporter.address.port });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    socket.end(frames);
    return socket;
  });
  await until(() => reporter.status().inflightBytes > 200_000, { ...BOUND, what: 'the budget to be used' });
  let most = 0;
  const sampler = setInterval(() => {
    most = Math.max(most, reporter.status().inflightBytes);
  }, 1);
  t.teardown(() => clearInterval(sampler));
  crashes.heal();
  await until(() => reporter.ledger().received === sockets.length * 100 * 50, { ...BOUND, what: 'all rows' });
  t.true(most <= 300_000 + 65_536, `at most ${most} bytes were in flight`);
  t.true(reporter.ledger().balanced);
});
