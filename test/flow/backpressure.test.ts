import { connect } from 'node:net';
import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { partitionOf, startReporter } from '../../src/index.js';
import { numberedReport } from '../support/agents.js';
import { tempDir } from '../support/temp.js';
import { until } from '../support/wait.js';
import { WatchedStore } from '../support/watched-store.js';

const BOUND = { boundMs: 30_000 };

/** A frame of one service that falls on the given partition of two. */
function frameFor(partition: number, round: number): Buffer {
  return encodeReportFrame(numberedReport(SERVICE_OF[partition]!, 1, 50, round));
}

/** For each of two partitions the first service of `numberedReport` that falls on it. */
const SERVICE_OF = [0, 1].map((partition) =>
  Array.from({ length: 100 }, (_, service) => service).find((service) => {
    const { modid, cmdid } = numberedReport(service, 1, 0, 1);
    return partitionOf(modid, cmdid, 2) === partition;
  }),
);

test('while one writer cannot journal, only connections with rows for it are slowed; memory stays within the budget', async (t) => {
  const store = new WatchedStore();
  let stuck = true;
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0, maxInflightBytes: 1_000_000 },
      writers: { count: 2 },
      journal: { dir: `${tempDir(t)}/journal` },
      supervision: { backoffMs: 10, maxBackoffMs: 20, maxRestarts: 3 },
    },
    {
      store,
      atStep: (step, partition) => {
        if (stuck && partition === 0 && step === 'before-persist') throw new Error('cannot go on');
      },
    },
  );
  t.teardown(() => reporter.stop());

  const flood = (partition: number) => {
    const socket = connect({ host: '127.0.0.1', port: reporter.address.port });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    let round = 0;
    const state = { sent: 0, stop: false, socket };
    const pump = () => {
      while (!state.stop) {
        state.sent = ++round;
        if (!socket.write(frameFor(partition, round))) {
          socket.once('drain', pump);
          return;
        }
      }
      socket.end();
    };
    socket.once('connect', pump);
    return state;
  };
  const slowed = [flood(0), flood(0)];
  const free = flood(1);
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

  stuck = false;
  for (const state of [...slowed, free]) state.stop = true;
  await until(() => ledgers()[0]! >= (slowed[0]!.sent + slowed[1]!.sent) * 50, {
    ...BOUND,
    what: 'everything held back',
  });
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  t.true(reporter.ledger().balanced);
  t.is(reporter.status().inflightBytes, 0);
});

test('with more connections than the budget has room for, what is read and not journaled stays within it', async (t) => {
  let stuck = true;
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0, maxInflightBytes: 300_000 },
      writers: { count: 1 },
      journal: { dir: `${tempDir(t)}/journal` },
      supervision: { backoffMs: 5, maxBackoffMs: 10 },
    },
    {
      store: new WatchedStore(),
      atStep: (step) => {
        if (stuck && step === 'before-persist') throw new Error('cannot go on');
      },
    },
  );
  t.teardown(() => reporter.stop());
  const frames = Buffer.concat(Array.from({ length: 100 }, (_, round) => frameFor(0, round + 1)));
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
  stuck = false;
  await until(() => reporter.ledger().received === sockets.length * 100 * 50, { ...BOUND, what: 'all rows' });
  t.true(most <= 300_000 + 65_536, `at most ${most} bytes were in flight`);
  t.true(reporter.ledger().balanced);
});
