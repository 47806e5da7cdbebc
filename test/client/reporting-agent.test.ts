import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type AgentEvent, type ReportingAgentOptions, startAgent } from '../../src/client/index.js';
import { attemptAfter } from '../../src/client/reporting-agent.js';
import { ReporterError } from '../../src/model/errors.js';
import type { Report } from '../../src/model/report.js';
import { seeded } from '../../src/testing/random.js';
import { until } from '../../src/testing/until.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { decodeReport } from '../../src/wire/messages.js';

const HOST = '127.0.0.1';
const BOUND = { boundMs: 30_000 };
const QUICK = { firstMs: 1, lastMs: 8 };
const failed = { instanceOf: ReporterError, code: 'CONNECTION_FAILED' } as const;

/** A report of a service: its number stands in `succ` of every host. */
function report(service: number, number: number, hosts = 1): Report {
  return {
    modid: service,
    cmdid: 2,
    caller: 0x0a000001,
    ts: 1,
    results: Array.from({ length: hosts }, (_, host) => ({
      ...{ ip: 0x0b000001 + host, port: 80, succ: number, err: 0, overload: false },
    })),
  };
}

/** What a reporter may do with a connection. */
type Conduct = 'read' | 'reset at once' | 'reset in the middle' | 'end in the middle' | 'read slowly';
const CONDUCTS: readonly Conduct[] = [
  'reset at once',
  'reset in the middle',
  'end in the middle',
  'read slowly',
];

/** A reporter that may be away, and treats its connections badly. What it has read stands in `last`. */
class Reporter {
  /** The last number of each service. */
  readonly last = new Map<number, number>();
  /** Connections on which a service went back. */
  readonly stepsBack: string[] = [];
  /** Hosts read so far. */
  hosts = 0;
  conduct: () => Conduct = () => 'read';
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;
  connections = 0;

  async up(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    server.listen(this.port, HOST);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    const conduct = this.conduct();
    if (conduct === 'reset at once') {
      socket.resetAndDestroy();
      return;
    }
    const decoder = new FrameDecoder();
    const onConnection = new Map<number, number>();
    socket.on('data', (chunk) => {
      decoder.push(chunk, (_id, bytes, start, end) => this.#read(bytes.subarray(start, end), onConnection));
      if (conduct === 'reset in the middle') socket.resetAndDestroy();
      if (conduct === 'end in the middle') socket.end();
      if (conduct === 'read slowly') {
        socket.pause();
        setTimeout(() => socket.resume(), 5);
      }
    });
  }

  #read(body: Uint8Array, onConnection: Map<number, number>): void {
    const { modid, results } = decodeReport(body);
    this.hosts += results.length;
    for (const { succ } of results) {
      const before = onConnection.get(modid) ?? 0;
      if (succ < before) this.stepsBack.push(`${modid} went from ${before} to ${succ}`);
      onConnection.set(modid, succ);
      this.last.set(modid, succ);
    }
  }
}

async function start(t: ExecutionContext, options: Partial<ReportingAgentOptions> = {}) {
  const reporter = new Reporter();
  await reporter.up();
  const events: AgentEvent[] = [];
  const onEvent = (event: AgentEvent) => events.push(event);
  const agent = startAgent({ host: HOST, port: reporter.port, pauses: QUICK, onEvent, ...options });
  t.teardown(async () => {
    agent.destroy();
    await reporter.down();
  });
  return { reporter, agent, events };
}

const sumOf = ({ sent, superseded, dropped, waiting }: ReturnType<typeof startAgent>['counts']) =>
  sent + superseded + dropped + waiting;

test('reports given before there is a connection arrive, the newest of each service; close waits until all is read', async (t) => {
  const { reporter, agent } = await start(t);
  for (let number = 1; number <= 3; number++)
    for (const service of [1, 2]) agent.report(report(service, number));
  await agent.close();
  t.deepEqual(
    [...reporter.last],
    [
      [1, 3],
      [2, 3],
    ],
  );
  t.false(agent.report(report(1, 4)));
  t.like(agent.counts, { reported: 6, dropped: 0, waiting: 0, reconnects: 0 });
});

test('whatever becomes of connections, every service stands at its newest report in the end, and none goes back on a connection', async (t) => {
  const plans = fc.record({
    seed: fc.integer(),
    services: fc.integer({ min: 1, max: 40 }),
    hosts: fc.constantFrom(1, 30, 400),
  });
  await fc.assert(
    fc.asyncProperty(plans, async ({ seed, services, hosts }) => {
      const random = seeded(seed);
      const { reporter, agent } = await start(t, { closeTimeoutMs: BOUND.boundMs });
      reporter.conduct = () => (random() < 0.5 ? 'read' : CONDUCTS[Math.floor(random() * CONDUCTS.length)]!);
      const newest = new Map<number, number>();
      for (let number = 1; number <= 300; number++) {
        const service = 1 + Math.floor(random() * services);
        newest.set(service, number);
        t.true(agent.report(report(service, number, hosts)));
        if (random() < 0.05) reporter.cut();
        if (random() < 0.02) await reporter.down().then(() => reporter.up());
        if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 4));
        t.is(sumOf(agent.counts), number);
      }
      reporter.conduct = () => 'read';
      await agent.close();
      for (const [service, number] of newest) t.is(reporter.last.get(service), number);
      t.deepEqual(reporter.stepsBack, []);
      t.like(agent.counts, { reported: 300, dropped: 0, forgotten: 0, waiting: 0 });
      await reporter.down();
    }),
    { numRuns: 25 },
  );
});

test('what was written and not read when a connection breaks is sent again, as the newest of its service', async (t) => {
  const { reporter, agent } = await start(t);
  reporter.conduct = () => 'reset at once';
  for (const service of [1, 2, 3]) agent.report(report(service, 1));
  await until(() => reporter.connections > 2, { ...BOUND, what: 'some attempts' });
  reporter.conduct = () => 'read';
  await until(() => reporter.last.size === 3, { ...BOUND, what: 'all services' });
  // Read to its end, and sent again nevertheless: nobody tells the agent.
  agent.report(report(2, 2));
  await until(() => reporter.last.get(2) === 2, { ...BOUND, what: 'the newer one' });
  reporter.last.clear();
  reporter.cut();
  await until(() => reporter.last.size === 3, { ...BOUND, what: 'all services once more' });
  t.deepEqual(
    new Map([...reporter.last].sort()),
    new Map([
      [1, 1],
      [2, 2],
      [3, 1],
    ]),
  );
  t.true(agent.counts.reconnects >= 1);
});

test('a reporter that does not read: at most one report of each service waits, the newest', async (t) => {
  const { reporter, agent } = await start(t);
  agent.report(report(1, 1));
  await until(() => reporter.last.size === 1, { ...BOUND, what: 'the connection' });
  reporter.pause();
  let number = 1;
  await until(
    () => {
      for (let step = 0; step < 200; step++) {
        number++;
        for (const service of [1, 2, 3]) agent.report(report(service, number, 1000));
      }
      return agent.counts.superseded > 500;
    },
    { ...BOUND, what: 'the system to take no more' },
  );
  // One of each waits, and one more may be under way.
  t.true(agent.counts.waiting <= 6);
  reporter.resume();
  await agent.close();
  t.deepEqual(new Map([...reporter.last].sort()), new Map([1, 2, 3].map((service) => [service, number])));
  t.deepEqual(reporter.stepsBack, []);
});

test('beyond its limits it drops what was reported longest ago, and says of which service; the others arrive', async (t) => {
  const { reporter, agent, events } = await start(t, { maxServices: 10 });
  await until(() => agent.connected, { ...BOUND, what: 'the connection' });
  await reporter.down();
  await until(() => !agent.connected, { ...BOUND, what: 'its end' });
  for (let service = 1; service <= 25; service++) agent.report(report(service, service));
  t.like(agent.counts, { reported: 25, dropped: 15, waiting: 10 });
  await reporter.up();
  await agent.close();
  t.deepEqual(
    [...reporter.last.keys()].sort((one, other) => one - other),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  );
  const dropped = events.flatMap((event) => (event.type === 'dropped' ? [event.modid] : []));
  t.deepEqual(
    dropped,
    Array.from({ length: 15 }, (_, index) => index + 1),
  );
});

test('a service with more hosts than a frame holds is one report', async (t) => {
  const { reporter, agent } = await start(t);
  agent.report(report(1, 1, 10_000));
  await agent.close();
  t.is(reporter.hosts, 10_000);
  t.is(agent.counts.sent, 1);
});

test('close gives up within its bound, says why, and counts what was never sent', async (t) => {
  const { reporter, agent, events } = await start(t, { closeTimeoutMs: 50 });
  await reporter.down();
  await until(() => events.some(({ type }) => type === 'disconnected'), {
    ...BOUND,
    what: 'a failed attempt',
  });
  agent.report(report(1, 1));
  const error = await t.throwsAsync(agent.close(), failed);
  t.regex(error.message, /could not deliver everything within 50 ms: /);
  t.like(agent.counts, { reported: 1, dropped: 1, waiting: 0 });
  t.is(events.filter(({ type }) => type === 'dropped').length, 1);
  t.is(await t.throwsAsync(agent.close(), failed), error);
});

test('close of a reporter that reads nothing more gives up within its bound', async (t) => {
  const { reporter, agent } = await start(t, { closeTimeoutMs: 300 });
  agent.report(report(1, 1));
  await until(() => reporter.last.size === 1, { ...BOUND, what: 'the connection' });
  reporter.pause();
  agent.report(report(1, 2));
  await t.throwsAsync(agent.close(), failed);
});

test('close does not wait for the pause between two attempts', async (t) => {
  const { reporter, agent, events } = await start(t, { pauses: { firstMs: 600_000, lastMs: 600_000 } });
  await reporter.down();
  agent.report(report(1, 1));
  await until(() => events.some(({ type }) => type === 'disconnected'), {
    ...BOUND,
    what: 'a failed attempt',
  });
  await reporter.up();
  await agent.close();
  t.is(reporter.last.get(1), 1);
});

test('an agent that was given nothing closes at once, with a reporter and without one', async (t) => {
  const { agent } = await start(t);
  await t.notThrowsAsync(agent.close());
  const { reporter, agent: alone, events } = await start(t);
  await reporter.down();
  await until(() => events.some(({ type }) => type === 'disconnected'), { ...BOUND, what: 'the end' });
  await t.notThrowsAsync(alone.close());
});

test('destroy ends everything at once; a close that waits says so', async (t) => {
  const { reporter, agent } = await start(t);
  await reporter.down();
  agent.report(report(1, 1));
  const closing = agent.close();
  agent.destroy();
  agent.destroy();
  await t.throwsAsync(closing, { ...failed, message: /was destroyed/ });
  t.like(agent.counts, { dropped: 1, waiting: 0 });
});

test('an event that its listener fails on harms nobody', async (t) => {
  const { reporter, agent } = await start(t, {
    onEvent: () => {
      throw new Error('the listener fails');
    },
  });
  agent.report(report(1, 1));
  await agent.close();
  t.is(reporter.last.get(1), 1);
});

test('pauses grow while connections fail, and begin anew behind a good one', (t) => {
  t.is(attemptAfter(3, 10), 4);
  t.is(attemptAfter(3, 60_000), 1);
});

test('options that cannot work are refused at once', (t) => {
  for (const options of [{ port: 0 }, { port: 70_000 }, { maxServices: 0 }, { maxBytes: Number.NaN }])
    t.throws(() => startAgent({ host: HOST, port: 1, ...options }), { instanceOf: RangeError });
});
