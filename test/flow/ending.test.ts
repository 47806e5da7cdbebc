import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type ActorRef, type ConfigInput, type ReporterEvent, startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
const GIVEN_UP = new Error('given up');

interface HostContext {
  readonly self: ActorRef<string>;
  readonly reset: symbol;
}

/** The parts of nact that a host of ours uses here. */
interface HostNact {
  start(): ActorRef<never>;
  stop(ref: ActorRef<never>): void;
  dispatch(ref: ActorRef<string>, message: string): void;
  spawn(
    parent: ActorRef<never>,
    f: (state: unknown, message: string) => void,
    name: string,
    properties?: { onCrash: (message: string, error: Error, context: HostContext) => symbol },
  ): ActorRef<string>;
}
const nact = createRequire(import.meta.url)('nact') as HostNact;

const config = (t: ExecutionContext, port = 0): ConfigInput => ({
  listen: { host: '127.0.0.1', port },
  admin: { host: '127.0.0.1', port: 0 },
  writers: { count: 2 },
  journal: { dir: `${tempDir(t)}/journal` },
});

test('a block with `await using` leaves the journal and the ports free, and what was journaled in the journal', async (t) => {
  const settings = config(t);
  const away = new MemoryStore();
  const store = new MemoryStore();
  let port: number;
  {
    await using reporter = await startReporter(settings, { store: neverStoring(away) });
    ({ port } = reporter.address);
    await reporter.report(numberedReport(1, 1, 3, 5));
  }
  {
    await using reporter = await startReporter(
      { ...settings, listen: { host: '127.0.0.1', port } },
      { store },
    );
    await until(() => store.rows.size === 3, { ...BOUND, what: 'the rows of before' });
    t.is(reporter.ledger().recovered, 3);
  }
});

/** What a promise comes to within a bound: a test that waits in vain fails as itself. */
const bounded = <Value>(promise: Promise<Value>) =>
  Promise.race([promise, sleep(BOUND.boundMs, 'waited in vain' as const, { ref: false })]);

/** A store that is away. */
function neverStoring(inner: MemoryStore) {
  return {
    description: 'away',
    open: () => inner.open(),
    check: () => inner.check(),
    close: () => inner.close(),
    writer: () => ({
      upsert: async () => {
        throw new Error('away');
      },
      close: async () => {},
    }),
  };
}

test('`ended` tells when a reporter has ended, and why; before, it does not', async (t) => {
  const reporter = await startReporter(config(t), { store: new MemoryStore() });
  let reason: string | undefined;
  void reporter.ended.then((why) => {
    reason = why;
  });
  await reporter.drain();
  t.is(reason, undefined);
  const stops = [reporter.stop(), reporter.stop()];
  t.is(await bounded(reporter.ended), 'stopped');
  await Promise.all(stops);
  t.is(reporter.status().state, 'stopped');
});

test('a signal that was aborted before lets nothing start', async (t) => {
  const reason = new Error('not today');
  await t.throwsAsync(startReporter(config(t), { signal: AbortSignal.abort(reason) }), { is: reason });
});

test('a signal that is aborted while the store is being opened ends the start, and leaves nothing open', async (t) => {
  const settings = config(t);
  const giveUp = new AbortController();
  const store = new MemoryStore();
  const calls: string[] = [];
  const stuck = Object.assign(Object.create(store) as MemoryStore, {
    open: () => {
      calls.push('open');
      giveUp.abort(GIVEN_UP);
      return new Promise<void>(() => {});
    },
    close: async () => {
      calls.push('close');
    },
  });
  await t.throwsAsync(bounded(startReporter(settings, { store: stuck, signal: giveUp.signal })), {
    is: GIVEN_UP,
  });
  t.deepEqual(calls, ['open', 'close']);
  const next = await startReporter(settings, { store });
  await next.stop();
});

test('a signal that is aborted while writers recover ends the start', async (t) => {
  const settings = config(t);
  const giveUp = new AbortController();
  const atStep = (step: string) => {
    if (step !== 'recovery') return;
    giveUp.abort(GIVEN_UP);
    throw new Error('never comes up');
  };
  await t.throwsAsync(startReporter(settings, { store: new MemoryStore(), signal: giveUp.signal, atStep }), {
    is: GIVEN_UP,
  });
  const next = await startReporter(settings, { store: new MemoryStore() });
  await next.stop();
});

test('a signal that is aborted later stops the reporter; one that outlives reporters keeps none of them', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const stopped = await startReporter(config(t), { store: new MemoryStore(), signal });
  await stopped.stop();
  const settings = config(t);
  const reporter = await startReporter(settings, { store: new MemoryStore(), signal });
  controller.abort();
  t.is(await bounded(reporter.ended), 'aborted');
  t.is(await bounded(stopped.ended), 'stopped');
  await t.throwsAsync(reporter.report(numberedReport(1, 1, 1, 1)), { code: 'REPORTER_STOPPED' });
  const next = await startReporter(settings, { store: new MemoryStore() });
  await next.stop();
});

test('a reporter whose system stops says so and closes everything, so that the next one can start', async (t) => {
  const settings = config(t);
  const system = nact.start();
  const events: ReporterEvent['type'][] = [];
  const reporter = await startReporter(settings, {
    ...{ system, store: new MemoryStore() },
    onEvent: ({ type }) => events.push(type),
  });
  await reporter.report(numberedReport(1, 1, 3, 5));
  nact.stop(system);
  t.is(await bounded(reporter.ended), 'parent-stopped');
  t.true(events.includes('parent-stopped'));
  await using next = await startReporter(
    { ...settings, listen: { host: '127.0.0.1', port: reporter.address.port } },
    { store: new MemoryStore() },
  );
  t.is(next.status().state, 'running');
});

test('a reporter whose parent actor is reset ends, and a reporter beside it goes on', async (t) => {
  const system = nact.start();
  t.teardown(() => nact.stop(system));
  const crash = () => {
    throw new Error('a bug of the host');
  };
  const parent = nact.spawn(system, crash, 'parent', { onCrash: (_message, _error, { reset }) => reset });
  const store = new MemoryStore();
  const child = await startReporter(config(t), {
    system: parent as ActorRef<never>,
    store: new MemoryStore(),
  });
  await using beside = await startReporter(config(t), { system, store });
  nact.dispatch(parent, 'crash');
  t.is(await bounded(child.ended), 'parent-stopped');
  await beside.report(numberedReport(1, 1, 3, 5));
  await until(() => store.rows.size === 3, { ...BOUND, what: 'the other one to go on' });
});

test('a parent that has stopped already is told at the start, and nothing is left open', async (t) => {
  const settings = config(t);
  const system = nact.start();
  nact.stop(system);
  await t.throwsAsync(startReporter(settings, { system, store: new MemoryStore() }), { message: /stopped/ });
  const next = await startReporter(settings, { store: new MemoryStore() });
  await next.stop();
});
