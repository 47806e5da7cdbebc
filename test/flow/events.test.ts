import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type ConfigInput,
  type ReporterEvent,
  type ReporterOptions,
  startReporter,
} from '../../src/index.js';
import { FaultyStore, MemoryStore, numberedReport, startFleet, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };

async function start(t: ExecutionContext, options: ReporterOptions, config: ConfigInput = {}) {
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
      writers: { count: 2 },
      ...config,
    },
    { store: new MemoryStore(), ...options },
  );
  t.teardown(() => reporter.stop());
  return reporter;
}

test('a host sees the life of a reporter as events, in order', async (t) => {
  const seen: ReporterEvent[] = [];
  const reporter = await start(t, { onEvent: (event) => void seen.push(event) });
  const fleet = await startFleet({ port: reporter.address.port, agents: 2, services: 3, hosts: 4 });
  await until(() => reporter.ledger().upserted > 0, { ...BOUND, what: 'rows to be stored' });
  await fleet.stop();
  await reporter.drain();
  await reporter.stop();
  const types = seen.map(({ type }) => type);
  const order = [
    ...['store-opened', 'writer-recovered', 'reporter-state', 'listening', 'connection-opened'],
    ...['batch-journaled', 'statement-flushed'],
  ] as const;
  const places = order.map((type) => types.indexOf(type));
  t.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
    types.join(),
  );
  t.false(places.includes(-1), types.join());
  t.deepEqual(
    seen.flatMap((event) => (event.type === 'reporter-state' ? [event.state] : [])),
    ['running', 'draining', 'stopped'],
  );
  t.deepEqual(
    seen.flatMap((event) => (event.type === 'drain-step' ? [event.step] : [])),
    ['accepting-stopped', 'connections-closed', 'drained'],
  );
  t.is(
    types.filter((type) => type === 'connection-opened').length,
    types.filter((type) => type === 'connection-closed').length,
  );
});

test('events are told once a batch and once a statement, never once a row', async (t) => {
  const seen: ReporterEvent[] = [];
  const reporter = await start(t, { onEvent: (event) => void seen.push(event) });
  await reporter.report(...Array.from({ length: 200 }, (_, service) => numberedReport(1, service, 50, 1)));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'rows to be stored' });
  await reporter.stop();
  const received = seen.reduce(
    (sum, event) => sum + (event.type === 'batch-journaled' ? event.received : 0),
    0,
  );
  const stored = seen.reduce((sum, event) => sum + (event.type === 'statement-flushed' ? event.rows : 0), 0);
  t.is(received, 10_000);
  t.true(stored >= 10_000);
  t.true(seen.length < 1000, String(seen.length));
});

test('whatever a host does in onEvent, the reporter goes on: it throws, rejects, asks, and stops', async (t) => {
  const unbalanced: unknown[] = [];
  let calls = 0;
  let stopping: Promise<void> | undefined;
  const store = new FaultyStore();
  const reporter = await start(t, {
    store,
    onEvent: (event) => {
      calls++;
      if (event.type === 'reporter-state') Object.assign(event, { state: 'nonsense' });
      if (event.type === 'batch-journaled' || event.type === 'statement-flushed') {
        const ledger = reporter.ledger();
        if (!ledger.balanced) unbalanced.push(ledger);
      }
      if (event.type === 'statement-failed') stopping ??= reporter.stop();
      if (calls % 2 === 0) throw new Error('of the host');
      return Promise.reject(new Error('of the host, later')) as unknown as undefined;
    },
  });
  await reporter.report(numberedReport(1, 1, 5, 1));
  await until(() => reporter.ledger().upserted === 5, { ...BOUND, what: 'rows to be stored' });
  t.is(reporter.status().state, 'running');
  store.fail();
  await reporter.report(numberedReport(1, 1, 5, 2));
  await until(() => stopping !== undefined, { ...BOUND, what: 'the host to stop the reporter' });
  await stopping;
  t.is(reporter.status().state, 'stopped');
  t.deepEqual(unbalanced, []);
});

test('every promise of report settles, also when the reporter stops meanwhile; what is refused says why and is counted', async (t) => {
  const reporter = await start(t, {});
  const before = Array.from({ length: 500 }, (_, at) => reporter.report(numberedReport(1, at, 2, 1)));
  const stopping = reporter.stop();
  const during = Array.from({ length: 20 }, (_, at) => reporter.report(numberedReport(2, at, 2, 1)));
  await stopping;
  const after = [reporter.report(numberedReport(3, 1, 2, 1))];
  const outcomes = await Promise.allSettled([...before, ...during, ...after]);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      t.like(outcome.reason, { name: 'ReporterError', code: 'REPORTER_STOPPED' });
  t.is(outcomes.at(-1)?.status, 'rejected');
  const { received, rejected, balanced } = reporter.ledger();
  t.true(balanced);
  t.true(rejected >= 2);
  const journaled = 2 * outcomes.filter(({ status }) => status === 'fulfilled').length;
  // A stop waits for the journal as long as it may; what it left is said to be unsure, and may be on disk or not.
  const unsure =
    2 *
    outcomes.filter((each) => each.status === 'rejected' && /before it was known/.test(each.reason.message))
      .length;
  t.true(received - rejected >= journaled, 'what resolved is in the journal');
  t.true(received - rejected <= journaled + unsure, 'what is refused is not');
});

test.serial(
  'a stop ends every connection: each is told as closed, and none keeps the process of the host alive',
  async (t) => {
    const seen: ReporterEvent[] = [];
    const reporter = await start(t, { onEvent: (event) => void seen.push(event) });
    const agent = connect(reporter.address.port, '127.0.0.1').on('error', () => {});
    await once(agent, 'connect');
    // Half a frame, for which a connection has a timer.
    agent.write(Buffer.from([3, 0, 0]));
    await until(() => reporter.status().traffic.bytes === 3, { ...BOUND, what: 'the bytes to be read' });
    await reporter.stop();
    agent.destroy();
    const types = seen.map(({ type }) => type);
    t.true(types.includes('connection-opened') && types.includes('connection-closed'), types.join());
    t.is(reporter.status().traffic.connections, 0);
    t.false(process.getActiveResourcesInfo().includes('Timeout'));
  },
);

test('a drain that comes after a stop, or is overtaken by one, settles, and tells of no step after the end', async (t) => {
  const seen: ReporterEvent[] = [];
  const store = new FaultyStore();
  const reporter = await start(t, { store, onEvent: (event) => void seen.push(event) });
  store.fail();
  await reporter.report(numberedReport(1, 1, 5, 1));
  const draining = reporter.drain();
  await until(
    () => seen.some((event) => event.type === 'drain-step' && event.step === 'connections-closed'),
    {
      ...BOUND,
      what: 'the drain to wait for the store',
    },
  );
  await reporter.stop();
  const outcome = { drained: false, pending: 5, unjournaled: 0 };
  t.deepEqual(await draining, outcome);
  t.deepEqual(await reporter.drain(), outcome);
  t.like(seen.at(-1), { type: 'reporter-state', state: 'stopped' });
});
