import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ProxiedStreams } from '../../src/intake/proxied-streams.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 20_000 };
const HEADER_MS = 100;
const HEADER = 'PROXY TCP4 10.1.2.3 127.0.0.1 40000 7779\r\n';

async function pair(t: ExecutionContext): Promise<{ agent: Socket; stream: Socket }> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const [stream] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => {
    agent.destroy();
    stream.destroy();
    server.close();
  });
  return { agent, stream };
}

function streams(mayRead: () => boolean) {
  const told: string[] = [];
  const proxied = new ProxiedStreams(
    { onHeader: (_, address) => told.push(`${address}`), onRefused: (_, why) => told.push(why) },
    mayRead,
    () => HEADER_MS,
  );
  return { proxied, told };
}

const NEW = { rest: Buffer.alloc(0), isUncertain: false };

for (const when of ['from the start', 'later on'])
  test(`a header that nobody reads is no late one: parked ${when}`, async (t) => {
    const isLater = when === 'later on';
    const { agent, stream } = await pair(t);
    const { proxied, told } = streams(() => isLater);
    stream.resume();
    proxied.read(stream, NEW);
    if (isLater) proxied.park();
    agent.write(HEADER);
    const sinceMs = performance.now();
    await until(() => performance.now() > sinceMs + 5 * HEADER_MS, {
      ...BOUND,
      what: 'its time to be long over',
    });
    t.deepEqual(told, []);
    proxied.unpark();
    await until(() => told.length > 0, { ...BOUND, what: 'the header' });
    t.deepEqual(told, ['10.1.2.3']);
  });

test('a balancer that sends no header is told in time', async (t) => {
  const { stream } = await pair(t);
  const { proxied, told } = streams(() => true);
  stream.resume();
  proxied.read(stream, NEW);
  await until(() => told.length > 0, { ...BOUND, what: 'it to be told' });
  t.deepEqual(told, ['no PROXY header came within 0.1 seconds']);
  t.is(proxied.size, 0);
});
