import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { HostileAgent } from '../../src/testing/hostile-agent.js';
import { expectStream } from '../../src/testing/reference.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 10_000 };

/** A server that keeps what it reads, and one agent connected to it. */
async function pair(t: ExecutionContext, localAddress?: string) {
  const pieces: Buffer[] = [];
  let socket: Socket | undefined;
  let isEnded = false;
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    socket = accepted;
    accepted.on('data', (piece: Buffer) => pieces.push(piece));
    accepted.on('end', () => {
      isEnded = true;
    });
    accepted.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = await HostileAgent.connect({ port, ...(localAddress ? { localAddress } : {}) });
  await until(() => socket !== undefined, { ...BOUND, what: 'the connection' });
  t.teardown(() => {
    agent.destroy();
    socket?.destroy();
    server.close();
  });
  const read = () => Buffer.concat(pieces);
  const has = (bytes: number) => until(() => read().length === bytes, { ...BOUND, what: `${bytes} bytes` });
  return { agent, socket: socket!, pieces, read, has, isEnded: () => isEnded };
}

const BYTES = Uint8Array.from({ length: 50 }, (_, index) => index);

test('an agent sends just the bytes it is told to, whole, split or byte by byte', async (t) => {
  const { agent, pieces, read, has } = await pair(t);
  t.true(await agent.sendBytes(BYTES));
  await has(50);
  t.true(await agent.sendSplit(BYTES, [1, 8]));
  await has(100);
  t.true(await agent.trickle(BYTES, { everyMs: 1, pieceBytes: 7 }));
  await has(150);
  t.deepEqual(read(), Buffer.concat([BYTES, BYTES, BYTES]));
  t.true(pieces.length > 3);
});

test('good reports, bad bodies and claims go out as such', async (t) => {
  const { agent, read, has } = await pair(t);
  await agent.send({ modid: 1, cmdid: 2, caller: 3, ts: 4, results: [] });
  await agent.sendBad(3, 'open group');
  await agent.sendFrame(9, BYTES);
  await agent.claim(65_527, { sent: BYTES });
  await until(() => expectStream(read()).frames === 5, { ...BOUND, what: 'five frames' });
  const before = expectStream(read()).followedBytes;
  await has(before + 8 + BYTES.length);
  const { reports, rejected, ending } = expectStream(read());
  t.deepEqual([reports, rejected.undecodable, rejected['unknown-id'], ending], [1, 3, 1, 'incomplete']);
});

test('an agent says how its connection came to its end, and takes it calmly', async (t) => {
  const closed = await pair(t);
  closed.socket.end();
  t.is(await closed.agent.closed, 'closed');
  t.false(await closed.agent.sendBytes(BYTES));
  t.false(closed.agent.isOpen);

  const reset = await pair(t);
  reset.socket.resetAndDestroy();
  t.is(await reset.agent.closed, 'reset');

  const own = await pair(t);
  own.socket.on('end', () => own.socket.end());
  await own.agent.close();
  t.is(await own.agent.closed, 'ended');

  const broken = await pair(t);
  const ended = new Promise((resolve) => broken.socket.once('close', resolve));
  await broken.agent.reset();
  await ended;
  t.is(await broken.agent.closed, 'ended');
});

test('sending resolves to false when the connection is lost before all of it was taken', async (t) => {
  const { agent, socket } = await pair(t);
  socket.pause();
  const sending = agent.sendBytes(new Uint8Array(50_000_000));
  socket.resetAndDestroy();
  t.false(await sending);
});

test('an agent that vanishes sends nothing more, reads nothing more and closes nothing', async (t) => {
  const { agent, socket, read, has, isEnded } = await pair(t);
  await agent.sendBytes(BYTES);
  await has(50);
  agent.vanish();
  t.false(await agent.sendBytes(BYTES));
  await new Promise<void>((resolve) => socket.write(BYTES, () => resolve()));
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.deepEqual([read().length, agent.receivedBytes, isEnded(), agent.isOpen], [50, 0, false, true]);
});

test('an agent reads replies until it is told to stop, and again when it is told to', async (t) => {
  const { agent, socket } = await pair(t);
  socket.write(BYTES);
  await until(() => agent.receivedBytes === 50, { ...BOUND, what: 'a reply' });
  agent.stopReading();
  socket.write(BYTES);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.is(agent.receivedBytes, 50);
  agent.readOn();
  await until(() => agent.receivedBytes === 100, { ...BOUND, what: 'the reply that waited' });
  t.deepEqual(agent.received(), Buffer.concat([BYTES, BYTES]));
});

test('agents come from the address they are given', async (t) => {
  const { socket } = await pair(t, '127.3.2.1');
  t.is(socket.remoteAddress, '127.3.2.1');
});

test('an address that cannot be reached is an error that names it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await t.throwsAsync(HostileAgent.connect({ port }), {
    code: 'CONNECTION_FAILED',
    message: `cannot connect to 127.0.0.1:${port}: ECONNREFUSED`,
  });
});
