import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { connectAgent } from '../../src/client/connection.js';
import { encodeReportFrame } from '../../src/client/encode.js';
import { ReporterError } from '../../src/model/errors.js';
import type { Report } from '../../src/model/report.js';
import { until } from '../../src/testing/until.js';
import { FrameDecoder, FrameError } from '../../src/wire/frame.js';
import { decodeReport, MessageId } from '../../src/wire/messages.js';

const HOST = '127.0.0.1';
/** More than the system holds for a socket that is not read. */
const MORE_THAN_THE_SYSTEM_TAKES = 12 * 1_048_576;
/** Hosts of a report that nearly fills a frame. */
const MANY = 4500;

const HOSTS = Array.from({ length: 10_000 }, (_, index) => ({
  ip: 0x0a000001 + index,
  port: 80,
  succ: 1,
  err: 2,
  overload: false,
}));

function report(modid: number, hosts = 1): Report {
  const results = HOSTS.slice(0, hosts);
  return { modid, cmdid: 2, caller: -1_062_731_775, ts: 4_000_000_000, results };
}

/** A server that keeps what it is sent; with `reads` false it reads nothing until `resume` is called. */
async function listen(t: ExecutionContext, { port = 0, reads = true } = {}) {
  const sockets: Socket[] = [];
  const received: Buffer[] = [];
  const server: Server = createServer({ pauseOnConnect: !reads }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (reads) socket.on('data', (chunk) => received.push(chunk));
  });
  server.listen(port, HOST);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const modids = (): number[] => {
    const found: number[] = [];
    new FrameDecoder().push(Buffer.concat(received), (id, bytes, start, end) => {
      if (id === MessageId.reportStatusRequest) found.push(decodeReport(bytes.subarray(start, end)).modid);
    });
    return found;
  };
  const resume = (): void => {
    for (const socket of sockets) socket.on('data', (chunk) => received.push(chunk)).resume();
  };
  return { server, sockets, received, modids, resume, port: (server.address() as AddressInfo).port };
}

const failed = { instanceOf: ReporterError, code: 'CONNECTION_FAILED' } as const;

test('a report comes out of the frame as it went in', (t) => {
  const frame = encodeReportFrame(report(7, 2));
  new FrameDecoder().push(frame, (id, bytes, start, end) => {
    t.is(id, MessageId.reportStatusRequest);
    t.deepEqual(decodeReport(bytes.subarray(start, end)), report(7, 2));
  });
  t.plan(2);
});

test('a report too long for a frame is refused', (t) => {
  t.throws(() => void encodeReportFrame(report(1, 10_000)), { instanceOf: FrameError });
});

test('everything sent before close arrives, in order', async (t) => {
  const { port, modids } = await listen(t);
  const agent = await connectAgent({ host: HOST, port });
  const sent = Array.from({ length: 5000 }, (_, index) => index);
  for (const modid of sent) await agent.send(report(modid));
  await agent.close();
  t.deepEqual(modids(), sent);
  t.false(agent.connected);
  await t.throwsAsync(agent.send(report(1)), failed);
});

test('close waits until the other side has read it all', async (t) => {
  const { port, modids, resume, sockets } = await listen(t, { reads: false });
  const agent = await connectAgent({ host: HOST, port });
  await agent.send(report(1));
  await agent.flush();
  let closed = false;
  const closing = agent.close().then(() => {
    closed = true;
  });
  await until(() => sockets.length === 1, { boundMs: 5000, what: 'the connection is accepted' });
  t.false(closed);
  resume();
  await closing;
  t.deepEqual(modids(), [1]);
});

test('memory is bounded: senders wait for a reporter that does not read, and keep their order', async (t) => {
  const { port, modids, resume } = await listen(t, { reads: false });
  const maxBufferedBytes = MORE_THAN_THE_SYSTEM_TAKES;
  const agent = await connectAgent({ host: HOST, port, maxBufferedBytes });
  let modid = 0;
  while (agent.trySend(report(modid, MANY))) modid++;
  const last = modid + 10;
  const waiting = [];
  while (modid < last) waiting.push(agent.send(report(modid++, MANY)));
  t.true(agent.bufferedBytes <= maxBufferedBytes);
  t.false(agent.trySend(report(0)), 'nobody gets in before those who wait');
  resume();
  await Promise.all(waiting);
  await agent.close();
  t.deepEqual(
    modids(),
    Array.from({ length: last }, (_, index) => index),
  );
});

test('bytes larger than the buffer are taken when it is empty', async (t) => {
  const { port, received } = await listen(t);
  const agent = await connectAgent({ host: HOST, port, maxBufferedBytes: 10 });
  await agent.sendBytes(Buffer.alloc(1000, 1));
  await agent.sendBytes(Buffer.alloc(1000, 2));
  await agent.close();
  t.deepEqual(Buffer.concat(received), Buffer.concat([Buffer.alloc(1000, 1), Buffer.alloc(1000, 2)]));
});

test('what the reporter sends does not disturb the end', async (t) => {
  const { port, modids, sockets } = await listen(t);
  const agent = await connectAgent({ host: HOST, port });
  await until(() => sockets.length === 1, { boundMs: 5000, what: 'the connection is accepted' });
  sockets[0]?.write(Buffer.alloc(100_000));
  await agent.send(report(1));
  await agent.close();
  t.deepEqual(modids(), [1]);
});

test('an address where nobody listens is an error that names it', async (t) => {
  const { server, port } = await listen(t);
  server.close();
  await once(server, 'close');
  const error = await t.throwsAsync(connectAgent({ host: HOST, port }), failed);
  t.is(error?.message, `cannot connect to ${HOST}:${port}: ECONNREFUSED`);
});

test('a connection that the other side ends is an error for all who wait', async (t) => {
  const { port, sockets } = await listen(t, { reads: false });
  const agent = await connectAgent({ host: HOST, port, maxBufferedBytes: MORE_THAN_THE_SYSTEM_TAKES });
  while (agent.trySend(report(1, MANY)));
  const waiting = Promise.allSettled([
    agent.sendBytes(Buffer.alloc(1_048_576)),
    agent.flush(),
    agent.close(),
  ]);
  await until(() => sockets.length === 1, { boundMs: 5000, what: 'the connection is accepted' });
  for (const socket of sockets) socket.destroy();
  for (const result of await waiting) t.like(result, { status: 'rejected', reason: { code: failed.code } });
  await t.throwsAsync(agent.send(report(3)), failed);
  t.is(agent.bufferedBytes, 0);
});

test('an end of the other side while nothing is sent is noticed', async (t) => {
  const { port, sockets } = await listen(t);
  const agent = await connectAgent({ host: HOST, port });
  await until(() => sockets.length === 1, { boundMs: 5000, what: 'the connection is accepted' });
  sockets[0]?.end();
  await until(() => !agent.connected, { boundMs: 5000, what: 'the agent notices' });
  const error = await t.throwsAsync(agent.send(report(1)), failed);
  t.regex(error?.message ?? '', /was closed by the other side: what was sent last may not have been read/);
  await t.throwsAsync(agent.close(), failed);
});

/** Servers that refuse a connection: as a reporter does that has too many, and as balancers do without one behind them. */
const REFUSALS: Readonly<Record<string, (socket: Socket) => void>> = {
  'reset at once': (socket) => socket.resetAndDestroy(),
  'reset when it has sent something': (socket) => socket.once('data', () => socket.resetAndDestroy()),
  'ended at once': (socket) => socket.resume().end(),
  'ended when it has sent something': (socket) => socket.once('data', () => socket.end()),
};

// By itself: other tests hold up the turns of this process, and with them those who refuse.
for (const [how, refuse] of Object.entries(REFUSALS))
  test.serial(`nobody who sends and closes believes that a connection took it that was ${how}`, async (t) => {
    const server = createServer((socket) => refuse(socket.on('error', () => {})));
    server.listen(0, HOST);
    await once(server, 'listening');
    t.teardown(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const sendOne = async () => {
      const agent = await connectAgent({ host: HOST, port });
      await agent.send(report(1));
      await agent.close();
    };
    const error = await t.throwsAsync(sendOne, failed);
    t.regex(error.message, /may have too many connections|may not have been read/);
  });

test('close does not wait for ever', async (t) => {
  const { port } = await listen(t, { reads: false });
  const agent = await connectAgent({ host: HOST, port, closeTimeoutMs: 50 });
  await agent.send(report(1));
  const error = await t.throwsAsync(agent.close(), failed);
  t.regex(error?.message ?? '', /did not take everything within 50 ms$/);
});

test('destroy ends everything at once', async (t) => {
  const { port } = await listen(t, { reads: false });
  const agent = await connectAgent({ host: HOST, port, maxBufferedBytes: MORE_THAN_THE_SYSTEM_TAKES });
  while (agent.trySend(report(1, MANY)));
  const waiting = agent.send(report(2, MANY));
  agent.destroy();
  agent.destroy();
  await t.throwsAsync(waiting, failed);
  await t.throwsAsync(agent.close(), failed);
  t.false(agent.connected);
});
