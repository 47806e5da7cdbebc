import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { StoreError, type StoreErrorClass } from '../../../src/model/errors.js';
import { openStore } from '../../../src/store/open.js';

/** What opening a store says when something else listens at its address. */
async function open(t: ExecutionContext, serve: (socket: Socket) => void, expected: StoreErrorClass) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const store = openStore(`mysql://lars:hunter2@127.0.0.1:${port}/lars`, { connectTimeoutMs: 1500 });
  const error = await t.throwsAsync(store.open(), { instanceOf: StoreError });
  t.is(error.class, expected, error.message);
  t.false(error.message.includes('hunter2'));
  return { port, error };
}

for (const [name, greeting, quoted] of [
  ['SSH', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'SSH-2.0-OpenSSH_9.2p1'],
  ['SMTP', `220 ${'x'.repeat(1000)}\r\n`, `220 ${'x'.repeat(36)}`],
  ['bytes of another protocol', Buffer.from([0, 1, 2, 3, 4, 5, 0x61]), '??????a'],
] as const)
  test(`${name} behind store.url is told from MySQL at once`, async (t) => {
    const { port, error } = await open(t, (socket) => socket.write(greeting), 'configuration');
    t.is(
      error.message,
      `what answers at 127.0.0.1:${port} is no MySQL server, it says "${quoted}"; check host and port in store.url`,
    );
  });

test('a server that takes the connection and says nothing, as HTTP does, is said to hang or to be no MySQL', async (t) => {
  const { error } = await open(t, () => {}, 'retry');
  t.regex(error.message, /no greeting came within 1500 ms: the server hangs, or is no MySQL server$/);
  t.is(error.code, 'ETIMEDOUT');
});

test('a MySQL server that refuses the connection is heard', async (t) => {
  const message = '\xff\x10\x04Too many connections';
  const packet = Buffer.concat([Buffer.from([message.length, 0, 0, 0]), Buffer.from(message, 'latin1')]);
  const { error } = await open(t, (socket) => socket.write(packet), 'retry');
  t.regex(error.message, /Too many connections/);
});
