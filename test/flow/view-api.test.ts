import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type Change,
  type ConfigInput,
  type Report,
  type Reporter,
  type ReporterAnswer,
  type ServiceAnswer,
  type ServiceEvent,
  type ServicesAnswer,
  type ServicesEvent,
  type StoredRowsAnswer,
  startReporter,
} from '../../src/index.js';
import { FaultyStore, MemoryStore, until } from '../../src/testing/index.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { encodeReport, MessageId } from '../../src/wire/messages.js';
import { ask, askJson } from '../admin/ask.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 60_000 };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function start(
  t: ExecutionContext,
  {
    config = {},
    store = new MemoryStore(),
  }: { config?: ConfigInput; store?: MemoryStore | FaultyStore } = {},
): Promise<Reporter> {
  const reporter = await startReporter(
    {
      ...{ listen: { host: '127.0.0.1', port: 0 }, writers: { count: 2 } },
      journal: { dir: `${tempDir(t)}/journal` },
      ...config,
      admin: { port: 0, ...config.admin },
    },
    { store },
  );
  t.teardown(() => reporter.stop());
  return reporter;
}

const report = (overload: boolean, caller = 0x0a090001): Report => ({
  ...{ modid: 7, cmdid: -8, caller, ts: Math.floor(Date.now() / 1000) },
  results: [
    { ip: 0x0a000001, port: 80, succ: overload ? 0 : 5, err: 0, overload },
    { ip: 0x0a000002, port: 80, succ: 5, err: 0, overload: false },
  ],
});

/** Asks again until the answer is what is waited for. */
async function answered<Body extends object>(
  { admin }: Reporter,
  path: string,
  isIt: (body: Body) => boolean,
  headers: Readonly<Record<string, string>> = {},
): Promise<Body> {
  let found: Body | undefined;
  let isAsking = false;
  await until(
    () => {
      if (!isAsking && !found) {
        isAsking = true;
        void ask(admin!, path, { headers }).then(({ status, body }) => {
          const answer = JSON.parse(body) as Body;
          if (status === 200 && isIt(answer)) found = answer;
          isAsking = false;
        });
      }
      return found !== undefined;
    },
    { ...BOUND, what: path },
  );
  return found!;
}

interface Heard {
  readonly event: string;
  readonly data: unknown;
}

/** Follows a topic until the test ends. */
async function follow(t: ExecutionContext, { admin }: Reporter, query: string, headers = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { host, port } = admin!;
    const asked = get({ host, port, path: `/api/events?${query}`, headers, agent: false }, resolve);
    asked.on('error', reject);
    t.teardown(() => {
      asked.destroy();
    });
  });
  t.is(response.statusCode, 200);
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => {});
  const heard = (): Heard[] =>
    [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event = '', data = '']) => ({
      event,
      data: JSON.parse(data) as unknown,
    }));
  const hears = async <Data>(event: string, isIt: (data: Data) => boolean): Promise<Data> => {
    let found: Data | undefined;
    await until(
      () => {
        found = heard()
          .filter((one) => one.event === event)
          .map(({ data }) => data as Data)
          .find(isIt);
        return found !== undefined;
      },
      { ...BOUND, what: `${event} of ${query}` },
    );
    return found!;
  };
  return { hears, heard };
}

test('services have the names that the store has for them, those of the configuration first', async (t) => {
  const store = new MemoryStore();
  const names = { byModid: new Map([[7, 'live list']]), byCmdid: new Map([[-8, 'get']]) };
  Object.assign(store.read, { names: async () => names });
  const reporter = await start(t, { store, config: { names: { '8': 'configured' } } });
  await reporter.report(report(false), { ...report(false), modid: 8 });
  const nameOf = ({ services }: ServicesAnswer, modid: number) =>
    services.find((service) => service.modid === modid)?.name;
  const answer = await answered<ServicesAnswer>(reporter, '/api/services', (body) => nameOf(body, 7) != null);
  t.is(nameOf(answer, 7), 'live list / get');
  t.is(nameOf(answer, 8), 'configured');
});

test('what agents say is seen in the answers, also when the store is away, and says which it is', async (t) => {
  const store = new FaultyStore();
  const reporter = await start(t, { store });
  store.fail('retry');
  await reporter.report(report(true), report(true, 0x0a090002), report(false, 0x0a090003));
  const { services } = await answered<ServicesAnswer>(
    reporter,
    '/api/services?level=overloaded',
    ({ total }) => total === 1,
  );
  t.is(services[0]!.modid, 7);
  t.is(services[0]!.hosts.overloaded, 1);
  const { hosts, matrix } = await answered<ServiceAnswer>(reporter, '/api/services/7/-8', () => true);
  t.deepEqual(
    hosts.map(({ ip, hot, callers }) => [ip, hot, callers]),
    [
      ['10.0.0.1', 2, 3],
      ['10.0.0.2', 0, 3],
    ],
  );
  t.deepEqual(matrix.cells, ['OOk', 'kkk']);
  const health = await answered<ReporterAnswer>(reporter, '/api/reporter', ({ problems }) =>
    problems.some(({ code }) => code === 'store-away'),
  );
  t.is(health.state, 'unwell');
  t.is(health.view.counts?.rows, 6);
  store.heal();
  await answered<ReporterAnswer>(reporter, '/api/reporter', ({ problems }) =>
    problems.every(({ code }) => code !== 'store-away'),
  );
});

test('every path of the view refuses parameters it does not know, or has twice, by name', async (t) => {
  const reporter = await start(t);
  await reporter.report(report(false));
  await answered<ServicesAnswer>(reporter, '/api/services', ({ total }) => total === 1);
  for (const path of [
    '/api/services',
    '/api/services/7/-8',
    '/api/hosts',
    '/api/hosts/10.0.0.1',
    '/api/callers',
    '/api/callers/10.9.0.1',
    '/api/changes',
    '/api/incidents',
    '/api/rows',
    '/api/reporter',
  ]) {
    const { status, body } = await askJson(t, reporter.admin!, `${path}?nosuch=1`);
    t.is(status, 400, path);
    t.regex(body.error, /nosuch/, path);
    t.is((await ask(reporter.admin!, path, { method: 'DELETE' })).status, 405, path);
  }
  for (const [query, name] of [
    ['limit=1&limit=2', 'limit'],
    ['level=bad', 'level'],
    ['limit=501', 'limit'],
  ] as const) {
    const { status, body } = await askJson(t, reporter.admin!, `/api/services?${query}`);
    t.is(status, 400, query);
    t.regex(body.error, new RegExp(name));
  }
  t.is((await ask(reporter.admin!, '/api/services?snapshot=999999')).status, 410);
  t.deepEqual(await askJson<object>(t, reporter.admin!, '/api/services/1/1'), {
    status: 404,
    body: { error: 'no agent has reported service 1/1' },
  });
});

test('a page that stays open hears what differs: the list, a service, what happened, the end', async (t) => {
  const reporter = await start(t);
  await reporter.report(report(false));
  await answered<ServicesAnswer>(reporter, '/api/services', ({ total }) => total === 1);
  const list = await follow(t, reporter, 'view=services');
  const one = await follow(t, reporter, 'service=7/-8');
  const first = await list.hears<ServicesEvent>('services', () => true);
  t.true(first.full);
  t.deepEqual(first.order, ['7/-8']);
  t.is(list.heard()[0]!.event, 'hello');
  t.is((await one.hears<ServiceEvent>('service', ({ full }) => full)).hosts.length, 2);
  await reporter.report(report(true));
  const changed = await list.hears<ServicesEvent>('services', ({ rows }) => rows[0]?.level === 'overloaded');
  t.false(changed.full);
  await one.hears<ServiceEvent>('service', ({ hosts }) => hosts.some(({ state }) => state === 'overloaded'));
  const change = await list.hears<Change>('change', ({ kind }) => kind === 'incident-began');
  t.deepEqual([change.modid, change.cmdid], [7, -8]);
  await list.hears<ReporterAnswer>('reporter', ({ agents }) => agents.voices === 1);
  await reporter.drain();
  t.deepEqual(await list.hears('bye', () => true), { reason: 'draining' });
  t.is((await ask(reporter.admin!, '/api/events')).status, 503);
  for (const query of ['view=nosuch', 'view=services&nosuch=1', 'service=7', 'level=ok']) {
    const { status } = await ask(reporter.admin!, `/api/events?${query}`);
    t.is(status, 503, 'while it drains, nobody is let in');
  }
});

test('what cannot be followed is 400 in the words of the view', async (t) => {
  const reporter = await start(t);
  await answered<ServicesAnswer>(reporter, '/api/services', () => true);
  for (const [query, says] of [
    ['view=nosuch', /view/],
    ['view=services&nosuch=1', /nosuch/],
    ['view=services&view=services', /view/],
    ['service=7', /service|cmdid/],
    ['level=ok', /view or service/],
  ] as const) {
    const { status, body } = await askJson(t, reporter.admin!, `/api/events?${query}`);
    t.is(status, 400, query);
    t.regex(body.error, says, query);
  }
});

test('the rows of a service are read from the table, page by page', async (t) => {
  const reporter = await start(t);
  await reporter.report(report(true), report(false, 0x0a090002));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  const page = async (query: string) =>
    (await askJson<StoredRowsAnswer>(t, reporter.admin!, `/api/rows?modid=7&cmdid=-8&${query}`)).body;
  const first = await page('limit=3');
  const second = await page(`limit=3&cursor=${first.cursor}`);
  t.deepEqual(
    [...first.rows, ...second.rows].map(({ ip, caller, overload }) => [ip, caller, overload]),
    [
      ['10.0.0.1', '10.9.0.1', true],
      ['10.0.0.1', '10.9.0.2', false],
      ['10.0.0.2', '10.9.0.1', false],
      ['10.0.0.2', '10.9.0.2', false],
    ],
  );
  t.is(second.cursor, null);
});

test('the token that may only look reads all of it, and replays and drops no dead letter', async (t) => {
  const config = { admin: { token: 's3cret', viewToken: 's33n' } };
  const reporter = await start(t, { config });
  const headers = bearer('s33n');
  await answered<ServicesAnswer>(reporter, '/api/services', () => true, headers);
  for (const path of ['/api/reporter', '/api/status', '/api/ledger', '/metrics', '/api/dead-letters'])
    t.is((await ask(reporter.admin!, path, { headers })).status, 200, path);
  await follow(t, reporter, 'view=services', headers);
  const drop = (token: string) =>
    ask(reporter.admin!, '/api/dead-letters?all=true', { method: 'DELETE', headers: bearer(token) });
  const replay = (token: string) =>
    ask(reporter.admin!, '/api/dead-letters/replay', {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json' },
      body: '{"all":true}',
    });
  t.is((await drop('s33n')).status, 403);
  t.is((await replay('s33n')).status, 403);
  t.is((await drop('s3cret')).status, 200);
  t.is((await replay('s3cret')).status, 200);
  for (const path of ['/api/services', '/api/events', '/api/rows?modid=1&cmdid=1'])
    t.is((await ask(reporter.admin!, path)).status, 401, path);
});

test('a machine that loses its connection is gone, and told', async (t) => {
  const reporter = await start(t, { config: { view: { freshS: 1 } } });
  const { host, port } = reporter.address;
  const socket = connect(port, host);
  t.teardown(() => {
    socket.destroy();
  });
  socket.write(encodeFrame(MessageId.reportStatusRequest, encodeReport(report(false))));
  await answered<ReporterAnswer>(reporter, '/api/reporter', ({ agents }) => agents.voices === 1);
  socket.destroy();
  const { problems } = await answered<ReporterAnswer>(
    reporter,
    '/api/reporter',
    ({ agents }) => agents.gone === 1,
  );
  t.true(problems.some(({ code }) => code === 'agents-gone'));
});

test('without a view everything else is served, and its paths say why they are not', async (t) => {
  const reporter = await start(t, { config: { view: { enabled: false } } });
  await reporter.report(report(false));
  await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'everything to be stored' });
  const { status, body } = await askJson(t, reporter.admin!, '/api/services');
  t.is(status, 404);
  t.regex(body.error, /view\.enabled/);
  t.is((await ask(reporter.admin!, '/api/events?view=services')).status, 404);
  t.is((await ask(reporter.admin!, '/api/rows?modid=7&cmdid=-8')).status, 200);
  const health = await answered<ReporterAnswer>(reporter, '/api/reporter', () => true);
  t.is(health.view.state, 'off');
  t.is(health.agents.voices, null);
});
