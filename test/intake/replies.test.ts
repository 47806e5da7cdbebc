import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Replies } from '../../src/intake/replies.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 20_000 };
const LIMITS = { maxBytes: 20_000_000, maxTotalBytes: 50_000_000 };
const MEGABYTE = Buffer.alloc(1_000_000);

const asker = (socket: Socket, closeUnread: () => void) => ({ socket, peer: '127.0.0.1', closeUnread });

/** Pairs of the two ends of a connection, whose peers do not read. */
async function pairs(t: ExecutionContext, count: number) {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made: { readonly socket: Socket; readonly peer: Socket }[] = [];
  for (let index = 0; index < count; index++) {
    const arriving = once(server, 'connection') as Promise<[Socket]>;
    const peer = connect(port, '127.0.0.1').pause();
    const [socket] = await arriving;
    for (const end of [peer, socket]) end.on('error', () => {});
    made.push({ socket, peer });
  }
  t.teardown(() => {
    for (const { socket, peer } of made) for (const end of [socket, peer]) end.destroy();
    server.close();
  });
  return made;
}

test('who leaves more unread than a connection may is closed, and its memory is given back', async (t) => {
  const [deaf] = await pairs(t, 1);
  const replies = new Replies(LIMITS);
  const { socket } = deaf!;
  let sent = 0;
  while (socket.writable && sent < 60) {
    replies.send(
      asker(socket, () => socket.destroy()),
      MEGABYTE,
    );
    sent++;
  }
  t.true(sent >= 20 && sent < 60);
  t.is(replies.totalBytes, 0);
  await once(socket, 'close');
  t.is(replies.totalBytes, 0);
  replies.send(
    asker(socket, () => t.fail('it is closed already')),
    MEGABYTE,
  );
  t.is(replies.totalBytes, 0);
});

test('short replies count with what they take while they wait, not with their bytes alone', async (t) => {
  const [deaf] = await pairs(t, 1);
  const { socket } = deaf!;
  const replies = new Replies({ maxBytes: 1_048_576, maxTotalBytes: 50_000_000 });
  let sent = 0;
  // Each in a turn of its own, as of a handler that takes its time.
  for (; socket.writable && sent < 100_000; sent++) {
    replies.send(
      asker(socket, () => socket.destroy()),
      Buffer.alloc(8),
    );
    await Promise.resolve();
  }
  t.true(sent < 5000, `${sent}`);
  t.is(replies.totalBytes, 0);
});

test('the replies of a turn go out together, in order', async (t) => {
  const [pair] = await pairs(t, 1);
  const { socket, peer } = pair!;
  const replies = new Replies({ maxBytes: 100_000, maxTotalBytes: 100_000 });
  const numbers = Array.from({ length: 4096 }, (_, index) => index);
  for (const number of numbers) {
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(number);
    replies.send(
      asker(socket, () => t.fail('it reads')),
      frame,
    );
  }
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => void chunks.push(chunk)).resume();
  const received = () => Buffer.concat(chunks);
  await until(() => received().length === 8 * 4096, { ...BOUND, what: 'all of them' });
  const all = received();
  t.deepEqual(
    numbers.map((number) => all.readUInt32LE(8 * number)),
    numbers,
  );
  await until(() => replies.totalBytes === 0, { ...BOUND, what: 'all to be given back' });
});

test('when all together leave too much unread, the one that leaves most is closed, and no other', async (t) => {
  const made = await pairs(t, 6);
  const replies = new Replies(LIMITS);
  const closed: number[] = [];
  const send = (index: number, count: number) => {
    const { socket } = made[index]!;
    for (let sent = 0; sent < count; sent++)
      replies.send(
        asker(socket, () => {
          closed.push(index);
          socket.destroy();
        }),
        MEGABYTE,
      );
  };
  for (const index of [0, 1, 2, 3]) send(index, 8);
  send(4, 15);
  t.deepEqual(closed, []);
  send(5, 8);
  t.deepEqual(closed, [4]);
  t.true(replies.totalBytes <= LIMITS.maxTotalBytes);
});

test('what a peer has read is given back', async (t) => {
  const [pair] = await pairs(t, 1);
  const replies = new Replies(LIMITS);
  for (let sent = 0; sent < 10; sent++)
    replies.send(
      asker(pair!.socket, () => t.fail('it reads')),
      MEGABYTE,
    );
  t.true(replies.totalBytes > 0);
  pair!.peer.resume();
  await until(() => replies.totalBytes === 0, { ...BOUND, what: 'all to be read' });
  t.is(replies.totalBytes, 0);
});
