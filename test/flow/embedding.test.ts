import { spawn as spawnProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type ActorRef,
  type ConfigInput,
  type HandledFrame,
  type Report,
  startReporter,
} from '../../src/index.js';
import { tell } from '../../src/runtime/actors.js';
import { MemoryStore, numberedReport, until } from '../../src/testing/index.js';
import { encodeFrame, FrameDecoder } from '../../src/wire/frame.js';
import {
  decodeRouteResponse,
  encodeRouteRequest,
  encodeRouteResponse,
  MessageId,
} from '../../src/wire/messages.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
const config = (t: ExecutionContext): ConfigInput => ({
  listen: { host: '127.0.0.1', port: 0 },
  writers: { count: 2 },
  journal: { dir: `${tempDir(t)}/journal` },
});

/** The parts of nact a host of ours uses here; its own types leave persistence out. */
interface HostNact {
  start(...extensions: unknown[]): ActorRef<never>;
  stop(ref: ActorRef<never>): void;
  configurePersistence(engine: object): unknown;
  spawn(
    parent: unknown,
    f: (state: unknown, message: HandledFrame) => void,
    name: string,
  ): ActorRef<HandledFrame>;
  spawnPersistent(
    parent: unknown,
    f: (
      state: number,
      message: number,
      context: { recovering?: boolean; persist(m: number): Promise<void> },
    ) => Promise<number>,
    key: string,
    name: string,
    properties: object,
  ): ActorRef<number>;
}
const nact = createRequire(import.meta.url)('nact') as HostNact;

test('two reporters run in one process, each with its own journal, port and ledger', async (t) => {
  const stores = [new MemoryStore(), new MemoryStore()];
  const reporters = await Promise.all(stores.map((store) => startReporter(config(t), { store })));
  t.not(reporters[0]!.address.port, reporters[1]!.address.port);
  tell(reporters[0]!.ref, numberedReport(1, 1, 3, 5));
  tell(reporters[1]!.ref, numberedReport(2, 1, 4, 6));
  await until(() => stores[0]!.rows.size === 3 && stores[1]!.rows.size === 4, {
    ...BOUND,
    what: 'both stores',
  });
  t.deepEqual(
    reporters.map((reporter) => reporter.ledger().received),
    [3, 4],
  );
  await reporters[0]!.stop();
  tell(reporters[1]!.ref, numberedReport(2, 2, 4, 7));
  await until(() => stores[1]!.rows.size === 8, { ...BOUND, what: 'the other one to go on' });
  await reporters[1]!.stop();
});

test('a reporter lives in a host system beside persistent actors of the host, whose engine stays its own', async (t) => {
  const persisted: number[] = [];
  const engine = {
    events: () => [] as unknown[],
    latestSnapshot: async () => undefined,
    takeSnapshot: async () => {},
    persist: async (event: { data: number }) => {
      persisted.push(event.data);
    },
  };
  const system = nact.start(nact.configurePersistence(engine));
  t.teardown(() => nact.stop(system));
  const hostActor = (name: string) =>
    nact.spawnPersistent(
      system,
      async (sum, message, context) => {
        if (!context.recovering) await context.persist(message);
        return sum + message;
      },
      name,
      name,
      { initialState: 0 },
    );
  const before = hostActor('before');
  const store = new MemoryStore();
  const reporters = await Promise.all([
    startReporter(config(t), { system, store }),
    startReporter(config(t), { system, store: new MemoryStore() }),
  ]);
  const after = hostActor('after');
  tell(before, 1);
  tell(after, 2);
  tell(reporters[0]!.ref, numberedReport(1, 1, 3, 5));
  await until(() => store.rows.size === 3 && persisted.length === 2, {
    ...BOUND,
    what: 'all three to be done',
  });
  t.deepEqual(persisted.toSorted(), [1, 2], 'nothing of ours went to the host’s engine');
  await Promise.all(reporters.map((reporter) => reporter.stop()));
  tell(before, 3);
  await until(() => persisted.includes(3), {
    ...BOUND,
    what: 'the host to go on after the reporters stopped',
  });
});

test('reports from inside the process are answered when they are journaled, bad ones are refused and counted', async (t) => {
  const store = new MemoryStore();
  const reporter = await startReporter(config(t), { store });
  t.teardown(() => reporter.stop());
  const journaled = (reports: Report[]) =>
    new Promise<void>((resolve) => tell(reporter.ref, { reports, journaled: resolve }));
  await journaled([numberedReport(1, 1, 3, 5), numberedReport(2, 1, 3, 5)]);
  t.is(reporter.ledger().received, 6);
  await journaled([{ ...numberedReport(1, 1, 2, 6), ts: -1 }, { ...numberedReport(1, 1, 3, 7) }]);
  t.is(reporter.ledger().received, 11);
  t.is(reporter.ledger().rejected, 2);
  await journaled([]);
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'rows to be stored' });
  t.true(reporter.ledger().balanced);
  t.is([...store.rows.values()].filter((row) => row.succ === 7).length, 3);
});

test('a report that cannot even be read is refused alone', async (t) => {
  const store = new MemoryStore();
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => void events.push(type);
  const reporter = await startReporter(config(t), { store, onEvent });
  t.teardown(() => reporter.stop());
  const [first, last] = [numberedReport(1, 1, 3, 5), numberedReport(2, 1, 3, 5)];
  const textless = { ...first, modid: Object.create(null) as number };
  const broken = {
    ...first,
    get results(): Report['results'] {
      throw new Error('a bug of the host');
    },
  };
  await reporter.report(first, textless, broken, last);
  t.is(reporter.ledger().received, 6);
  await until(() => store.rows.size === 6, { ...BOUND, what: 'the rows of both' });
  await until(() => events.filter((type) => type === 'report-rejected').length === 2, {
    ...BOUND,
    what: 'both to be told',
  });
});

test('other message ids go to the host’s handlers, which reply on the same connection', async (t) => {
  const host = nact.start();
  t.teardown(() => nact.stop(host));
  const seen: HandledFrame[] = [];
  const actor = nact.spawn(
    host,
    (_state, frame) => {
      seen.push(frame);
    },
    'routes',
  );
  const reporter = await startReporter(config(t), {
    store: new MemoryStore(),
    handlers: {
      [MessageId.getRouteRequest]: ({ body, reply }) => {
        t.deepEqual([...body], [...encodeRouteRequest({ modid: 7, cmdid: -8 })]);
        const host = [{ ip: -1, port: 80 }];
        reply(MessageId.getRouteResponse, encodeRouteResponse({ modid: 7, cmdid: -8, host }));
      },
      77: actor,
      78: () => {
        throw new Error('a bug of the host');
      },
      79: async () => {
        throw new Error('a late bug of the host');
      },
    },
  });
  t.teardown(() => reporter.stop());
  const socket = connect({ host: '127.0.0.1', port: reporter.address.port });
  t.teardown(() => socket.destroy());
  for (const id of [77, 78, 79, 80]) socket.write(encodeFrame(id, Buffer.of(1, 2, 3)));
  socket.write(encodeFrame(MessageId.getRouteRequest, encodeRouteRequest({ modid: 7, cmdid: -8 })));
  const decoder = new FrameDecoder();
  const response = await new Promise((resolve) => {
    socket.on('data', (chunk) =>
      decoder.push(chunk, (id, bytes, start, end) => {
        if (id === MessageId.getRouteResponse) resolve(decodeRouteResponse(bytes.subarray(start, end)));
      }),
    );
  });
  t.deepEqual(response, { modid: 7, cmdid: -8, host: [{ ip: -1, port: 80 }] });
  await until(() => seen.length === 1, { ...BOUND, what: 'the actor to be told' });
  t.deepEqual([seen[0]!.id, ...seen[0]!.body], [77, 1, 2, 3]);
  const { framesRejected } = reporter.status().traffic;
  t.is(framesRejected.handler, 2);
  t.is(framesRejected['unknown-id'], 1);
});

test('the reporter’s own message id is not for handlers', async (t) => {
  await t.throwsAsync(startReporter(config(t), { store: new MemoryStore(), handlers: { 3: () => {} } }), {
    code: 'CONFIG_INVALID',
    message: /handlers: 3/,
  });
});

test('importing the package does nothing: the process ends by itself, silently', async (t) => {
  const url = new URL('../../src/index.js', import.meta.url).href;
  const child = spawnProcess(process.execPath, [
    '--input-type=module',
    '-e',
    `await import(${JSON.stringify(url)})`,
  ]);
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  t.is(code, 0);
  t.is(output, '');
});

test('a start that fails leaves nothing behind: the same journal and port can be used at once', async (t) => {
  const settings = config(t);
  const taken = await startReporter(config(t), { store: new MemoryStore() });
  t.teardown(() => taken.stop());
  const busy = { ...settings, listen: { host: '127.0.0.1', port: taken.address.port } };
  await t.throwsAsync(startReporter(busy, { store: new MemoryStore() }), { code: 'LISTEN_FAILED' });
  const second = await startReporter(settings, { store: new MemoryStore() });
  await second.stop();
});
