import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { type ConfigInput, type FrameRejection, type Logger, startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport, until } from '../../src/testing/index.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { MessageId } from '../../src/wire/messages.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
const goodFrame = (service: number) => encodeReportFrame(numberedReport(service, 1, 2, 5));

function header(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(id, 0);
  bytes.writeInt32LE(length, 4);
  return bytes;
}

async function setUp(t: ExecutionContext, listen: ConfigInput['listen'] = {}) {
  const warnings: { kind?: string; peer?: string }[] = [];
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (fields) => warnings.push(fields),
    error: () => {},
  };
  const store = new MemoryStore();
  const reporter = await startReporter(
    { listen: { host: '127.0.0.1', port: 0, ...listen }, journal: { dir: `${tempDir(t)}/journal` } },
    { store, logger },
  );
  t.teardown(() => reporter.stop());
  const open = async () => {
    const socket = connect({ host: '127.0.0.1', port: reporter.address.port, noDelay: true });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return socket;
  };
  const rejected = (reason: FrameRejection) => reporter.status().traffic.framesRejected[reason];
  const neighbour = await open();
  /** A neighbour’s report is stored all the same: whatever happened, it did not notice. */
  const othersGoOn = async () => {
    const before = store.rows.size;
    neighbour.write(goodFrame(50 + before));
    await until(() => store.rows.size > before, { ...BOUND, what: 'a neighbour’s report to be stored' });
    t.true(reporter.ledger().balanced);
  };
  return { reporter, store, open, rejected, warnings, othersGoOn };
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

for (const length of [-1, -0x80000000, 65_528, 0x7fffffff]) {
  test(`a header that claims a body of ${length} bytes closes its connection, after the good frames before it`, async (t) => {
    const { store, open, rejected, warnings, othersGoOn } = await setUp(t);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const socket = await open();
      socket.write(Buffer.concat([goodFrame(attempt), header(3, length), goodFrame(9)]));
      await closed(socket);
      await until(() => rejected('length') === attempt, { ...BOUND, what: 'it to be counted' });
    }
    await until(() => store.rows.size === 6, { ...BOUND, what: 'the good frames to be stored' });
    t.is(warnings.filter((warning) => warning.kind === 'length').length, 1, 'it is said once per peer');
    await othersGoOn();
  });
}

test('a body longer than listen.maxBodyBytes is refused by its header', async (t) => {
  const { open, rejected, othersGoOn } = await setUp(t, { maxBodyBytes: 100 });
  const socket = await open();
  socket.write(header(3, 101));
  await closed(socket);
  t.is(rejected('length'), 1);
  await othersGoOn();
});

test('a body that is not a report is dropped and counted, its connection goes on', async (t) => {
  const { store, open, rejected, othersGoOn } = await setUp(t);
  const socket = await open();
  const garbage = encodeFrame(MessageId.reportStatusRequest, Buffer.from('ffffffffffff', 'hex'));
  for (let round = 0; round < 50; round++) socket.write(Buffer.concat([garbage, goodFrame(round)]));
  await until(() => store.rows.size === 100, { ...BOUND, what: 'the good frames to be stored' });
  t.is(rejected('undecodable'), 50);
  t.false(socket.destroyed);
  await othersGoOn();
});

test('a peer that sends nothing but undecodable bodies is closed after listen.maxBadFrames', async (t) => {
  const { open, rejected, othersGoOn } = await setUp(t, { maxBadFrames: 5 });
  const socket = await open();
  const garbage = encodeFrame(MessageId.reportStatusRequest, Buffer.from('ffff', 'hex'));
  socket.write(Buffer.concat(Array.from({ length: 100 }, () => garbage)));
  await closed(socket);
  t.is(rejected('undecodable'), 5);
  await othersGoOn();
});

test('an id nobody handles is skipped and counted, its connection goes on', async (t) => {
  const { store, open, rejected, othersGoOn } = await setUp(t);
  const socket = await open();
  for (const id of [0, 1, 2, 4, -1, 0x7fffffff]) socket.write(encodeFrame(id, Buffer.alloc(10)));
  socket.write(goodFrame(1));
  await until(() => store.rows.size === 2, { ...BOUND, what: 'the report behind them' });
  t.is(rejected('unknown-id'), 6);
  await othersGoOn();
});

test('reports without results, zero bytes long or not, are counted and store nothing', async (t) => {
  const { reporter, store, open, othersGoOn } = await setUp(t);
  const socket = await open();
  socket.write(encodeFrame(MessageId.reportStatusRequest, Buffer.alloc(0)));
  socket.write(encodeReportFrame({ modid: 1, cmdid: 2, caller: 3, ts: 4, results: [] }));
  socket.write(goodFrame(1));
  await until(() => store.rows.size === 2, { ...BOUND, what: 'the report behind them' });
  const { emptyReports, reports } = reporter.status().traffic;
  t.deepEqual({ emptyReports, reports }, { emptyReports: 2, reports: 3 });
  t.is(reporter.ledger().received, 2);
  await othersGoOn();
});

test('a connection that ends in the middle of a frame is counted, what came before is stored', async (t) => {
  const { store, open, rejected, othersGoOn } = await setUp(t);
  const half = goodFrame(2);
  for (const end of [3, 8, half.length - 1]) {
    const socket = await open();
    socket.end(Buffer.concat([goodFrame(1), half.subarray(0, end)]));
    await closed(socket);
  }
  await until(() => rejected('incomplete') === 3, { ...BOUND, what: 'all three to be counted' });
  await until(() => store.rows.size === 2, { ...BOUND, what: 'the whole frame to be stored' });
  await othersGoOn();
});

test('a frame that stays incomplete for longer than listen.frameTimeoutMs ends its connection', async (t) => {
  const { open, rejected, othersGoOn } = await setUp(t, { frameTimeoutMs: 50 });
  const socket = await open();
  socket.write(goodFrame(1).subarray(0, 9));
  await closed(socket);
  await until(() => rejected('incomplete') === 1, { ...BOUND, what: 'it to be counted' });
  await othersGoOn();
});

test('trickling bytes do not extend the time of a frame', async (t) => {
  const { open, rejected } = await setUp(t, { frameTimeoutMs: 100 });
  const socket = await open();
  const trickle = setInterval(() => socket.write(Buffer.alloc(1)), 20);
  t.teardown(() => clearInterval(trickle));
  socket.write(header(3, 60_000));
  await closed(socket);
  await until(() => rejected('incomplete') === 1, { ...BOUND, what: 'it to be counted' });
  t.is(rejected('incomplete'), 1);
});

test('a connection too many is reset and counted; the others do not notice', async (t) => {
  const { reporter, open, othersGoOn } = await setUp(t, { maxConnections: 3 });
  await open();
  await open();
  await until(() => reporter.status().traffic.connections === 3, { ...BOUND, what: 'three connections' });
  const extra = connect({ host: '127.0.0.1', port: reporter.address.port });
  // Not an orderly end: what the agent has sent is lost, and it is to know that.
  const [error] = await once(extra, 'error');
  t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET');
  await until(() => reporter.status().traffic.refused === 1, { ...BOUND, what: 'it to be counted' });
  t.is(reporter.status().traffic.connections, 3);
  await othersGoOn();
});

test('counters that do not fit the table are saturated and counted', async (t) => {
  const { reporter, store, open } = await setUp(t);
  const socket = await open();
  const report = numberedReport(1, 1, 1, 5);
  const results = [{ ...report.results[0]!, succ: 0xffffffff, err: 0x80000000 }];
  socket.write(encodeReportFrame({ ...report, results }));
  await until(() => store.rows.size === 1, { ...BOUND, what: 'the row' });
  const [row] = store.rows.values();
  t.deepEqual([row!.succ, row!.err], [0x7fffffff, 0x7fffffff]);
  t.is(reporter.status().traffic.saturated, 2);
});

test('connections that come and go leave nothing behind', async (t) => {
  const { reporter, open, othersGoOn } = await setUp(t);
  for (let round = 0; round < 30; round++) {
    const socket = await open();
    socket.write(goodFrame(round));
    socket.resetAndDestroy();
  }
  await until(() => reporter.status().traffic.connections === 1, {
    ...BOUND,
    what: 'all but the neighbour to go',
  });
  await until(() => reporter.status().inflightBytes === 0, { ...BOUND, what: 'all credit to be paid back' });
  await othersGoOn();
});
