import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { type ConfigInput, startReporter } from '../../src/index.js';
import { FaultyStore, HostileAgent, numberedReport } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { Siege } from '../../tools/shared/siege.js';
import { tempDir } from '../support/temp.js';

/** Below the time after which a run of tests gives up. */
const BOUND = { boundMs: 20_000 };

async function begin(t: ExecutionContext, listen: ConfigInput['listen']) {
  const siege = await Siege.start(`${tempDir(t)}/journal`, { listen });
  t.teardown(() => siege.stop().then(() => undefined));
  const denied = (reason: keyof typeof siege.traffic.denied, count = 1) =>
    until(() => siege.traffic.denied[reason] === count, { ...BOUND, what: `${count} denied for ${reason}` });
  return { siege, denied };
}

const bits = (address: string) => address.split('.').reduce((all, part) => (all << 8) | Number(part), 0);
/** A report of one host by a caller, of a service of its own. */
const reportOf = (service: number, caller: string | number) =>
  encodeReportFrame({
    ...numberedReport(service, 1, 1, 1),
    caller: typeof caller === 'number' ? caller : bits(caller),
  });
const isStored = ({ rows }: Siege, service: number) =>
  until(() => [...rows.newest.values()].some((row) => row.modid === modidOf(service)), {
    ...BOUND,
    what: 'its report to be stored',
  });
const modidOf = (service: number) => numberedReport(service, 1, 1, 1).modid;

test('an address that may not connect is refused with a reset, counted and told; others do not notice', async (t) => {
  const { siege, denied } = await begin(t, {
    deny: ['127.0.1.0/24'],
    allow: ['127.0.0.0/16', '127.2.0.0/16'],
  });
  const noticed = await siege.withNeighbour(async () => {
    for (const localAddress of ['127.0.1.7', '127.3.0.1']) {
      // It may be reset before it knows that it is connected.
      await siege.agent({ localAddress }).catch(() => undefined);
    }
    await denied('address', 2);
    const allowed = await siege.agent({ localAddress: '127.2.0.1' });
    await allowed.sendBytes(reportOf(1, '127.2.0.1'));
    await isStored(siege, 1);
  });
  t.is(noticed, undefined);
  t.deepEqual(
    siege.warnings.map(({ peer, kind }) => [peer, kind]),
    [
      ['127.0.1.7', 'address'],
      ['127.3.0.1', 'address'],
    ],
  );
});

test('one address has so many connections and no more; another one has its own, and a closed one is free again', async (t) => {
  const { siege, denied } = await begin(t, { perAddress: { connections: 3 } });
  const mine = await siege.agents(3, () => ({ localAddress: '127.5.0.1' }));
  const fourth = await siege.agent({ localAddress: '127.5.0.1' }).catch(() => undefined);
  await fourth?.closed;
  await denied('address-full');
  await siege.agents(3, () => ({ localAddress: '127.5.0.2' }));
  await siege.connections(7);
  mine[0]!.destroy();
  await siege.connections(6);
  await siege.agent({ localAddress: '127.5.0.1' });
  await siege.connections(7);
  t.is(siege.traffic.denied['address-full'], 1);
});

test('more reports a second than an address may send are read later, over all of its connections; none is lost, and others do not wait', async (t) => {
  const reportsPerSecond = 4000;
  const { siege } = await begin(t, { perAddress: { reportsPerSecond } });
  const agents = await siege.agents(2, () => ({ localAddress: '127.6.0.1' }));
  const { length } = reportOf(1, '127.6.0.1');
  // Some reads of a socket each.
  const each = Math.ceil(500_000 / length);
  const beganMs = performance.now();
  for (const agent of agents)
    void agent.sendBytes(Buffer.concat(Array.from({ length: each }, () => reportOf(1, '127.6.0.1'))));
  await until(() => siege.traffic.throttled.reports > 0, { ...BOUND, what: 'the address to wait' });
  const other = await siege.agent({ localAddress: '127.6.0.2' });
  await other.sendBytes(reportOf(2, '127.6.0.2'));
  await isStored(siege, 2);
  t.true(siege.traffic.reports < 2 * each);
  await until(() => siege.traffic.reports === 2 * each + 1, { ...BOUND, what: 'all of its reports' });
  // Those of the first second go at once, and some reads that are under way.
  t.true(performance.now() - beganMs >= (1000 * each) / reportsPerSecond);
  t.true(siege.traffic.throttled.reports >= 3);
  t.is(siege.traffic.connections, 4);
});

test('a report that names another machine as its caller is refused with its rows; the connection and its other reports go on', async (t) => {
  const { siege } = await begin(t, { verifyCaller: 'reject', verifyExcept: ['127.9.0.0/16'] });
  const agent = await siege.agent({ localAddress: '127.8.0.1' });
  // 127.0.1.1 is what a machine says that does not know its address.
  const frames = [
    reportOf(1, '10.0.0.66'),
    reportOf(2, '127.0.1.1'),
    reportOf(3, '0.0.0.0'),
    reportOf(4, '10.0.0.66'),
  ];
  await agent.sendBytes(Buffer.concat(frames));
  await isStored(siege, 3);
  await until(() => siege.traffic.foreignCallers === 2, { ...BOUND, what: 'the others to be counted' });
  const excepted = await siege.agent({ localAddress: '127.9.0.1' });
  await excepted.sendBytes(reportOf(5, '10.0.0.66'));
  await isStored(siege, 5);
  await Promise.all([agent.close(), excepted.close()]);
  await siege.atRest();
  const { received, rejected, balanced } = siege.reporter.ledger();
  t.deepEqual({ received, rejected, balanced }, { received: 5, rejected: 2, balanced: true });
  t.false([...siege.rows.newest.values()].some(({ modid }) => modid === modidOf(1) || modid === modidOf(4)));
  t.deepEqual(
    siege.warnings.map(({ peer, kind }) => [peer, kind]),
    [['127.8.0.1', 'caller']],
  );
});

test('where callers are only looked at, a foreign one is counted and stored', async (t) => {
  const { siege } = await begin(t, { verifyCaller: 'warn' });
  const agent = await siege.agent({ localAddress: '127.8.0.1' });
  await agent.sendBytes(reportOf(1, '10.0.0.66'));
  await isStored(siege, 1);
  t.is(siege.traffic.foreignCallers, 1);
  t.is(siege.reporter.ledger().rejected, 0);
});

const proxyLine = (address: string) => Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 40000 7779\r\n`);

test('behind a balancer each peer has its own address: for the rules, for its caller, and in the log', async (t) => {
  const { siege, denied } = await begin(t, {
    proxyFrom: ['127.20.0.0/16'],
    deny: ['10.66.0.0/16'],
    verifyCaller: 'reject',
  });
  const localAddress = '127.20.0.1';
  const good = await siege.agent({ localAddress });
  const bytes = Buffer.concat([proxyLine('10.1.2.3'), reportOf(1, '10.1.2.3'), reportOf(2, '10.1.2.4')]);
  for (const byte of bytes) await good.sendBytes(Buffer.from([byte]));
  await isStored(siege, 1);
  await until(() => siege.traffic.foreignCallers === 1, { ...BOUND, what: 'the foreign caller' });
  const bad = await siege.agent({ localAddress });
  await bad.sendBytes(Buffer.concat([proxyLine('10.66.0.1'), reportOf(3, '10.66.0.1')]));
  await bad.closed;
  await denied('address');
  t.deepEqual(
    siege.warnings.map(({ peer, kind }) => [peer, kind]),
    [
      ['10.1.2.3', 'caller'],
      ['10.66.0.1', 'address'],
    ],
  );
});

test('a balancer without a header is denied, its health checks are no news, and a header from a stranger is no frame', async (t) => {
  const { siege, denied } = await begin(t, { proxyFrom: ['127.20.0.0/16'] });
  const without = await siege.agent({ localAddress: '127.20.0.1' });
  await without.sendBytes(reportOf(1, '127.20.0.1'));
  await without.closed;
  await denied('proxy-header');
  const check = await siege.agent({ localAddress: '127.20.0.2' });
  await check.close();
  await check.closed;
  const stranger = await siege.agent({ localAddress: '127.21.0.1' });
  await stranger.sendBytes(proxyLine('10.1.2.3'));
  await stranger.closed;
  t.is(siege.traffic.denied['proxy-header'], 1);
  t.deepEqual(
    siege.warnings.map(({ peer, kind }) => [peer, kind]),
    [
      ['127.20.0.1', 'proxy-header'],
      ['127.21.0.1', 'length'],
    ],
  );
});

test('an address with as many pending keys as it may have is read when the store has taken some; none is lost, and others do not wait', async (t) => {
  const store = new FaultyStore();
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0, perAddress: { keys: 100 } },
      admin: { port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
    },
    { store },
  );
  t.teardown(() => reporter.stop());
  const agent = async (localAddress: string) => {
    const one = await HostileAgent.connect({ port: reporter.address.port, localAddress });
    t.teardown(() => one.destroy());
    return one;
  };
  store.fail();
  const greedy = await agent('127.7.0.1');
  const all = 20_000;
  void greedy.sendBytes(
    Buffer.concat(Array.from({ length: all }, (_, service) => reportOf(service, '127.7.0.1'))),
  );
  await until(() => reporter.status().traffic.throttled.keys > 0, { ...BOUND, what: 'the address to wait' });
  const modest = await agent('127.7.0.2');
  const before = reporter.ledger().pending;
  await modest.sendBytes(reportOf(all, '127.7.0.2'));
  await until(() => reporter.ledger().pending > before, { ...BOUND, what: 'the report of another address' });
  t.true(reporter.ledger().pending < all);
  store.heal();
  await until(() => reporter.ledger().upserted >= all + 1 && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.true(reporter.ledger().balanced);
  t.true(greedy.isOpen);
});
