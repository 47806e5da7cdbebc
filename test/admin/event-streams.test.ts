import { type IncomingMessage, request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { EventStreams } from '../../src/admin/event-streams.js';
import { type ReporterSource, reporterAnswer, reporterRoute } from '../../src/admin/reporter-routes.js';
import type { Address, ReporterStatus } from '../../src/model/status.js';
import { Vitals } from '../../src/observe/vitals.js';
import { until } from '../../src/testing/index.js';
import { ViewRefusal } from '../../src/view/live.js';
import { ask, askJson, serve } from './ask.js';
import { FakeView, unavailable, viewCounts, viewStatusOf } from './fake-view.js';
import { busyStatus, reporterStatus } from './statuses.js';

const BOUND = { boundMs: 20_000 };

interface Heard {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** What a browser's EventSource would make of a stream. */
class Listener {
  readonly response: IncomingMessage;
  text = '';
  ended = false;

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      this.text += chunk;
    });
    response.on('error', () => {});
    response.on('close', () => {
      this.ended = true;
    });
  }

  static open(t: ExecutionContext, { host, port }: Address, query: string, headers = {}): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const asked = request({ host, port, path: `/api/events${query}`, headers, agent: false });
      asked.on('response', (response) => resolve(new Listener(response)));
      asked.on('error', reject);
      asked.end();
      t.teardown(() => {
        asked.destroy();
      });
    });
  }

  get heard(): Heard[] {
    return this.text
      .split('\n\n')
      .slice(0, -1)
      .map(
        (block) =>
          new Map(block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)!.slice(1) as [string, string])),
      )
      .filter((fields) => fields.has('event'))
      .map((fields) => ({
        id: fields.get('id'),
        event: fields.get('event')!,
        data: JSON.parse(fields.get('data')!) as unknown,
      }));
  }

  of(event: string): Heard[] {
    return this.heard.filter((one) => one.event === event);
  }

  async hears(count: number, event: string): Promise<void> {
    await until(() => this.of(event).length >= count, { ...BOUND, what: `${count} × ${event}` });
  }
}

interface SetUp {
  readonly view?: FakeView;
  readonly isEnabled?: boolean;
  readonly maxConnections?: number;
}

async function serveEvents(
  t: ExecutionContext,
  { view = new FakeView(), isEnabled = true, maxConnections = 256 }: SetUp,
) {
  const state: { status: ReporterStatus } = { status: reporterStatus() };
  const vitals = new Vitals({
    source: () => state.status,
    limits: { maxInflightBytes: 1000, maxConnections: 10 },
    lag: { p99Ms: 0, take: () => [] },
  });
  const source: ReporterSource = {
    ...{ vitals, version: '1.2.3', view: { isEnabled, live: view } },
    status: () => state.status,
  };
  const streams = new EventStreams({
    ...{ version: '1.2.3', build: 'abc', view: source.view },
    report: () => reporterAnswer(source),
  });
  const { address } = await serve(t, {
    routes: [streams.route, reporterRoute(source)],
    limits: { maxConnections },
  });
  return { address, streams, state };
}

const services = (id: number, data: object = { tick: id }) =>
  ({ id, event: 'services', data: JSON.stringify(data) }) as const;

test('a stream begins with hello and the reporter, then tells what the view tells', async (t) => {
  const view = new FakeView();
  const { address } = await serveEvents(t, { view });
  const stream = await Listener.open(t, address, '?view=services&level=outage&limit=50');
  t.is(stream.response.statusCode, 200);
  t.is(stream.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  t.is(stream.response.headers['cache-control'], 'no-store');
  t.deepEqual(view.followed, ['view=services&level=outage&limit=50']);
  view.tell(services(7));
  view.tell({ id: 8, event: 'change', data: '{"text":"it began"}' });
  await stream.hears(1, 'change');
  t.true(stream.text.startsWith('retry: 2000\n\n'));
  t.deepEqual(
    stream.heard.map(({ id, event }) => [id, event]),
    [
      ['7', 'hello'],
      ['7', 'reporter'],
      ['7', 'services'],
      ['8', 'change'],
    ],
  );
  const { now, ...hello } = stream.of('hello')[0]!.data as { now: string };
  t.deepEqual(hello as object, { version: '1.2.3', build: 'abc', tick: 7, history: false });
  t.true(Math.abs(Date.parse(now) - Date.now()) < 60_000);
  t.deepEqual(stream.of('services')[0]!.data, { tick: 7 });
  t.deepEqual(stream.of('change')[0]!.data, { text: 'it began' });
});

test('the view is told what to follow; without a question, the services are followed', async (t) => {
  const view = new FakeView();
  const { address } = await serveEvents(t, { view });
  await Listener.open(t, address, '');
  await Listener.open(t, address, '?q=10.%202&view=services');
  await Listener.open(t, address, '?service=-1/2');
  t.deepEqual(view.followed, ['view=services', 'q=10.+2&view=services', 'service=-1%2F2']);
});

test('the reporter is told on each change, and every five seconds', async (t) => {
  const { address, streams, state } = await serveEvents(t, {});
  const stream = await Listener.open(t, address, '?reporter');
  await stream.hears(1, 'reporter');
  for (let second = 0; second < 9; second++) streams.tick();
  await stream.hears(3, 'reporter');
  state.status = reporterStatus({ deadLetters: 1 });
  streams.tick();
  streams.tick();
  await stream.hears(4, 'reporter');
  t.is(stream.of('reporter').length, 4);
  t.deepEqual(
    stream.of('reporter').map(({ data }) => (data as { state: string }).state),
    ['ok', 'ok', 'ok', 'unwell'],
  );
});

test('a stream says hello within a second although the view is slow', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  const stream = await Listener.open(t, address, '');
  t.deepEqual(stream.heard, []);
  streams.tick();
  await stream.hears(1, 'reporter');
  t.deepEqual(
    stream.heard.slice(0, 2).map(({ id, event }) => [id, event]),
    [
      [undefined, 'hello'],
      [undefined, 'reporter'],
    ],
  );
});

test('a comment comes every 15 seconds, so that nobody takes the stream for dead', async (t) => {
  const { address, streams } = await serveEvents(t, {});
  const stream = await Listener.open(t, address, '?reporter');
  for (let second = 0; second < 30; second++) streams.tick();
  await stream.hears(7, 'reporter');
  t.is(stream.text.match(/^: /gm)?.length, 2);
});

test('at a drain everybody is told and let go, and nobody is let in', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  const listeners = [await Listener.open(t, address, ''), await Listener.open(t, address, '?reporter')];
  view.tell(services(3));
  streams.observe({ type: 'reporter-state', state: 'running' });
  streams.observe({ type: 'reporter-state', state: 'draining' });
  for (const listener of listeners) {
    await until(() => listener.ended, { ...BOUND, what: 'the end of a stream' });
    t.deepEqual(listener.heard.at(-1), { id: '3', event: 'bye', data: { reason: 'draining' } });
  }
  t.is(streams.size, 0);
  t.is(view.followers, 0);
  const refused = await ask(address, '/api/events');
  t.is(refused.status, 503);
  t.truthy(refused.headers['retry-after']);
});

test('sixty-four streams are open at a time; a further one is told when to come back', async (t) => {
  const { address, streams } = await serveEvents(t, { view: new FakeView() });
  const listeners = await Promise.all(
    Array.from({ length: 64 }, (_, index) => Listener.open(t, address, index % 2 === 0 ? '' : '?reporter')),
  );
  t.is(streams.size, 64);
  const refused = await ask(address, '/api/events');
  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '5');
  listeners[0]!.response.destroy();
  await until(() => streams.size === 63, { ...BOUND, what: 'the place of a reader that went away' });
  t.is((await Listener.open(t, address, '')).response.statusCode, 200);
});

test('a reader that goes away is not told any more', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  const stream = await Listener.open(t, address, '');
  t.is(view.followers, 1);
  stream.response.destroy();
  await until(() => view.followers === 0 && streams.size === 0, { ...BOUND, what: 'nobody to follow' });
});

test('a reader that does not read is dropped before it costs much; others do not notice', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  const slow = await Listener.open(t, address, '');
  slow.response.pause();
  const other = await Listener.open(t, address, '');
  const text = 'x'.repeat(100_000);
  let tick = 0;
  await until(
    () => {
      view.tell(services(++tick, { text }));
      return streams.size === 1;
    },
    { ...BOUND, what: 'the slow reader to be dropped' },
  );
  t.true(tick < 500, `${tick} events of 100 KB`);
  await other.hears(tick, 'services');
});

test('what cannot be followed is refused in words: 400, 404 and 503', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  for (const query of ['reporter&x=1', 'reporter&reporter', 'reporter=1']) {
    const { status, body } = await askJson(t, address, `/api/events?${query}`);
    t.is(status, 400, query);
    t.regex(body.error, /^(x|reporter) /);
  }
  view.error = new ViewRefusal('level is unknown');
  t.deepEqual(await askJson<object>(t, address, '/api/events?level=1'), {
    status: 400,
    body: { error: 'level is unknown' },
  });
  view.error = unavailable();
  const later = await ask(address, '/api/events');
  t.is(later.status, 503);
  t.is(later.headers['retry-after'], '1');
  t.is(streams.size, 0);
  const off = await serveEvents(t, { isEnabled: false });
  t.regex((await ask(off.address, '/api/events')).body, /view\.enabled/);
  t.is((await ask(off.address, '/api/events')).status, 404);
  t.is((await Listener.open(t, off.address, '?reporter')).response.statusCode, 200);
});

test('HEAD and other methods open no stream', async (t) => {
  const view = new FakeView();
  const { address, streams } = await serveEvents(t, { view });
  t.is((await ask(address, '/api/events', { method: 'HEAD' })).status, 200);
  await until(() => streams.size === 0 && view.followers === 0, { ...BOUND, what: 'no stream' });
  t.is((await ask(address, '/api/events', { method: 'POST' })).status, 405);
});

test('GET /api/reporter tells how it is, with what the status tells', async (t) => {
  const view = new FakeView();
  const callers = { reporting: 5, connected: 2, gone: 3, table: 1 };
  view.current = viewStatusOf({ counts: viewCounts({ callers, lostAtStart: 2 }) });
  const { address, state } = await serveEvents(t, { view });
  state.status = { ...busyStatus(), view: view.current };
  const { status, body } = await askJson<ReturnType<typeof reporterAnswer>>(t, address, '/api/reporter');
  t.is(status, 200);
  t.is(body.state, 'unwell');
  t.deepEqual(
    body.problems.map(({ code }) => code),
    ['behind', 'dead-letters', 'quarantine', 'agents-gone'],
  );
  for (const { since, means, doc } of body.problems) {
    t.regex(since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    t.true(means.length > 10);
    t.regex(doc, /^docs\/operations\.md#[\w-]+$/);
  }
  t.deepEqual(body.agents, { connections: 3, voices: 11, gone: 3, lostAtStart: 2 });
  t.is(body.version, '1.2.3');
  t.is(body.ledger.received, 3021);
  t.is(body.view.state, 'live');
  t.deepEqual(Object.keys(body.flush), ['p50Ms', 'p99Ms', 'rowsP50']);
  t.is((await askJson(t, address, '/api/reporter?x=1')).status, 400);
  const off = await serveEvents(t, { isEnabled: false });
  const { body: without } = await askJson<ReturnType<typeof reporterAnswer>>(t, off.address, '/api/reporter');
  t.deepEqual(without.agents, { connections: 0, voices: null, gone: null, lostAtStart: null });
  t.is(without.view.state, 'off');
  t.is(without.state, 'ok');
});
