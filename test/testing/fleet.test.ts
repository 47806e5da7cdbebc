import test, { type ExecutionContext } from 'ava';
import { type ReporterOptions, startReporter } from '../../src/index.js';
import { isNumbered, MemoryStore, OrderChecker, startFleet, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };
const shape = { agents: 3, services: 4, hosts: 5 };

async function start(t: ExecutionContext, options: ReporterOptions, port = 0) {
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port },
      admin: { port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
    },
    options,
  );
  t.teardown(() => reporter.stop());
  return reporter;
}

test('a fleet sends rounds until it is stopped; the last one is the last value of every key', async (t) => {
  const order = new OrderChecker({ numbered: isNumbered });
  const store = new MemoryStore();
  const reporter = await start(t, { store: order.watch(store) });
  const fleet = await startFleet({ port: reporter.address.port, ...shape, order, firstRound: 7, pauseMs: 1 });
  await until(() => fleet.rounds >= 10, { ...BOUND, what: 'some rounds' });
  const last = await fleet.stop();
  t.deepEqual([...last.keys()], [1, 2, 3]);
  await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.is(store.rows.size, 60);
  for (const { caller, succ } of store.rows.values()) t.is(succ, last.get(caller)!);
  t.is(order.keys, 60);
  t.notThrows(() => order.verify());
});

test('a fleet that reconnects goes on with a reporter that comes back, on whichever port, and never sends an older value', async (t) => {
  const order = new OrderChecker({ numbered: isNumbered });
  const store = order.watch(new MemoryStore());
  let reporter = await start(t, { store });
  const fleet = await startFleet({ port: () => reporter.address.port, ...shape, order, reconnect: true });
  for (let kill = 1; kill <= 3; kill++) {
    const { rounds } = fleet;
    await until(() => fleet.rounds >= rounds + 5, { ...BOUND, what: 'some rounds' });
    await reporter.stop();
    reporter = await start(t, { store });
    await until(() => fleet.reconnects >= kill * shape.agents, { ...BOUND, what: 'agents to come back' });
  }
  await fleet.stop();
  await until(() => reporter.status().inflightBytes === 0 && reporter.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  t.notThrows(() => order.verify());
});

test('a fleet that does not reconnect says that it was cut off', async (t) => {
  const reporter = await start(t, { store: new MemoryStore() });
  const fleet = await startFleet({ port: reporter.address.port, ...shape });
  await until(() => fleet.rounds >= 2, { ...BOUND, what: 'some rounds' });
  await reporter.stop();
  await t.throwsAsync(fleet.stop(), { code: 'CONNECTION_FAILED' });
});

test('a fleet that never reconnects says who is connected and who was lost, and of those that it turned away; nothing rejects', async (t) => {
  const store = new MemoryStore();
  const first = await start(t, { store });
  const second = await start(t, { store: new MemoryStore() });
  let calls = 0;
  const port = () => (calls++ === 0 ? second : first).address.port;
  const fleet = await startFleet({ ...shape, port, neverReconnect: true, pauseMs: 1 });
  await until(() => fleet.rounds >= 2, { ...BOUND, what: 'two rounds' });
  t.is(fleet.connected, 3);
  t.deepEqual(fleet.lost, []);
  const rests = await fleet.hold();
  t.deepEqual([...rests.keys()], [1, 2, 3]);
  await second.stop();
  // Nothing is sent, and the loss is noticed nevertheless.
  await until(() => fleet.lost.length === 1, { ...BOUND, what: 'the loss' });
  t.is(fleet.connected, 2);
  t.is(fleet.lost[0]?.caller, 1);
  t.regex(fleet.lost[0]?.why ?? '', /may not have been read/);
  fleet.go();
  const { rounds } = fleet;
  await until(() => fleet.rounds >= rounds + 2, { ...BOUND, what: 'the others to go on' });
  const last = await fleet.stop();
  t.is(fleet.lost.length, 1);
  t.is(fleet.reconnects, 0);
  await until(() => first.status().inflightBytes === 0 && first.ledger().pending === 0, {
    ...BOUND,
    what: 'everything to be stored',
  });
  for (const { caller, succ } of store.rows.values()) t.is(succ, last.get(caller)!);

  const refused = await startFleet({ ...shape, port: second.address.port, neverReconnect: true });
  t.is(refused.lost.length, 3);
  t.is(refused.connected, 0);
  await t.notThrowsAsync(refused.stop());
  await t.throwsAsync(startFleet({ ...shape, port: 1, reconnect: true, neverReconnect: true }), {
    instanceOf: RangeError,
  });
});

test('a fleet that is held has sent whole rounds, also when it pauses in the middle of frames, and everything it counts is read', async (t) => {
  const reporter = await start(t, { store: new MemoryStore() });
  const fleet = await startFleet({
    ...{ port: reporter.address.port, ...shape, neverReconnect: true },
    ...{ pauseMs: 1, cutFrames: true },
  });
  for (let time = 0; time < 3; time++) {
    await fleet.hold();
    const { rowsSent } = fleet;
    t.true(rowsSent > 0);
    await until(() => reporter.ledger().received === rowsSent, { ...BOUND, what: 'what was sent' });
    fleet.go();
    await until(() => fleet.rowsSent > rowsSent, { ...BOUND, what: 'it to go on' });
  }
  await fleet.stop();
});

test('a fleet that is to be stopped while nobody answers gives up within its bound', async (t) => {
  const reporter = await start(t, { store: new MemoryStore() });
  const fleet = await startFleet({ port: reporter.address.port, ...shape, reconnect: true });
  await until(() => fleet.rounds >= 2, { ...BOUND, what: 'some rounds' });
  await reporter.stop();
  await t.throwsAsync(fleet.stop(50), { message: /^agent \d could not deliver round \d+: / });
});

test('a fleet with nobody to connect to does not start', async (t) => {
  const reporter = await start(t, { store: new MemoryStore() });
  await reporter.stop();
  await t.throwsAsync(startFleet({ port: reporter.address.port, ...shape }), { code: 'CONNECTION_FAILED' });
});
