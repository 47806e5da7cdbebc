import test, { type ExecutionContext } from 'ava';
import { serviceSeriesRoute, viewRoutes } from '../../src/admin/view-routes.js';
import { VIEW_PATHS } from '../../src/view/live.js';
import type { Summary } from '../../src/view/shapes.js';
import { ask, askJson, serve } from './ask.js';
import { FakeView, unavailable } from './fake-view.js';

const ASKED: Readonly<Record<(typeof VIEW_PATHS)[number], string>> = {
  '/api/services': '/api/services',
  '/api/services/:modid/:cmdid': '/api/services/-4/17',
  '/api/hosts': '/api/hosts',
  '/api/hosts/:ip': '/api/hosts/10.0.0.1',
  '/api/callers': '/api/callers',
  '/api/callers/:ip': '/api/callers/10.9.0.1',
  '/api/changes': '/api/changes',
  '/api/incidents': '/api/incidents',
  '/api/history': '/api/history',
};

async function serveView(t: ExecutionContext, live: FakeView, isEnabled = true) {
  const source = { live, isEnabled };
  const { address } = await serve(t, { routes: [...viewRoutes(source), serviceSeriesRoute(source)] });
  return address;
}

const SUMMARY: Summary = {
  modid: -4,
  cmdid: 17,
  name: '=cmd "x", y',
  level: 'overloaded',
  trouble: 3.5,
  state: 'live',
  flapping: false,
  since: '2026-11-27T02:11:40Z',
  reasons: [
    { code: 'hosts-overloaded', text: '1 of 2 hosts overloaded, 17 of 20 callers agree' },
    { code: 'errors', text: 'errors 14 %' },
  ],
  hosts: { total: 2, overloaded: 1, disputed: 0, failing: 0, noted: 0, withdrawn: 0, stale: 0 },
  callers: { fresh: 20, affected: 17, blackedOut: 0, silent: 1 },
  calls: { perSecond: 182.4, errorsPerSecond: 11.2, errorShare: null, windowS: null },
  lastHeard: null,
  spark: [],
};

for (const path of VIEW_PATHS) {
  test(`GET ${path} hands on what the view says, to the byte`, async (t) => {
    const view = new FakeView();
    view.reply = { status: 200, body: { path, text: 'ü' } };
    const address = await serveView(t, view);
    const { status, body } = await askJson<object>(t, address, `${ASKED[path]}?q=10.%202&x=1&x=2`);
    t.is(status, 200);
    t.deepEqual(body, { path, text: 'ü' });
    const [asked] = view.asked;
    t.is(asked!.path, path);
    t.is(asked!.query, 'q=10.+2&x=1&x=2', 'what is unknown or given twice is for the view to refuse');
    t.deepEqual(Object.values(asked!.params), path.includes(':') ? ASKED[path].split('/').slice(3) : []);
    t.is((await ask(address, ASKED[path], { method: 'HEAD' })).status, 200);
    t.is((await ask(address, ASKED[path], { method: 'POST' })).status, 405);
  });
}

test('GET /metrics/services is Prometheus text', async (t) => {
  const { status, body, headers } = await ask(await serveView(t, new FakeView()), '/metrics/services');
  t.is(status, 200);
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.is(body, '# HELP x X.\n');
});

test('what the view refuses keeps its status and its words', async (t) => {
  const view = new FakeView();
  const address = await serveView(t, view);
  for (const status of [400, 404, 410] as const) {
    view.reply = { status, body: { error: `because of ${status}` } };
    for (const query of ['', '?format=csv'])
      t.deepEqual(await askJson<object>(t, address, `/api/services${query}`), {
        status,
        body: { error: `because of ${status}` },
      });
  }
});

test('without a view, 404 says why; while it is not up, 503 says when to ask again', async (t) => {
  const off = await serveView(t, new FakeView(), false);
  const view = new FakeView();
  view.error = unavailable();
  const restarting = await serveView(t, view);
  for (const path of [...Object.values(ASKED), '/metrics/services']) {
    const { status, body } = await askJson(t, off, path);
    t.is(status, 404);
    t.regex(body.error, /view\.enabled/);
    const reply = await ask(restarting, path);
    t.is(reply.status, 503);
    t.is(reply.headers['retry-after'], '1');
  }
  t.regex((await ask(restarting, '/api/services')).body, /being restarted/);
});

test('a list comes as CSV, for spreadsheets that would take a text for a formula, too', async (t) => {
  const view = new FakeView();
  view.reply = { status: 200, body: { services: [SUMMARY, { ...SUMMARY, name: null }] } };
  const address = await serveView(t, view);
  const { status, headers, body } = await ask(address, '/api/services?format=csv&level=outage');
  t.is(status, 200);
  t.is(headers['content-type'], 'text/csv; charset=utf-8');
  t.is(headers['content-disposition'], 'attachment; filename="lars-services.csv"');
  t.is(view.asked[0]!.query, 'level=outage');
  const [head, first, second, end] = body.split('\r\n');
  t.true(head!.startsWith('modid,cmdid,name,level,trouble,state,flapping,since,why,hosts,hostsOverloaded,'));
  t.true(
    first!.startsWith(
      `-4,17,"'=cmd ""x"", y",overloaded,3.5,live,false,2026-11-27T02:11:40Z,` +
        '"1 of 2 hosts overloaded, 17 of 20 callers agree; errors 14 %",2,1,',
    ),
    first,
  );
  t.true(second!.startsWith('-4,17,,overloaded,'));
  t.is(end, '');
  t.is(head!.split(',').length, second!.replace(/"[^"]*"/, '').split(',').length);
});

test('without a history its path says why, and the others are answered', async (t) => {
  const { address } = await serve(t, {
    routes: viewRoutes({ live: new FakeView(), isEnabled: true, hasHistory: false }),
  });
  const { status, body } = await askJson<{ error: string }>(t, address, '/api/history?modid=1&cmdid=2');
  t.is(status, 404);
  t.regex(body.error, /history\.enabled/);
  t.is((await ask(address, '/api/incidents')).status, 200);
});

test('every list has its head line when it is empty', async (t) => {
  const view = new FakeView();
  const address = await serveView(t, view);
  const empty = { services: [], hosts: [], voices: [], rows: [], events: [], incidents: [] };
  const series = {
    t: [],
    calls: [],
    errs: [],
    overloaded: [],
    callers: [],
    hot: [],
    level: [],
    coverage: [],
  };
  for (const path of VIEW_PATHS) {
    view.reply = { status: 200, body: { ...empty, ...series } };
    const { body } = await ask(address, `${ASKED[path]}?format=csv`);
    t.regex(body, /^\w+(,\w+)+\r\n$/, path);
  }
});

test('a format that there is not, or is given twice, is 400', async (t) => {
  const address = await serveView(t, new FakeView());
  for (const query of ['format=xml', 'format=', 'format=csv&format=csv']) {
    const { status, body } = await askJson(t, address, `/api/services?${query}`);
    t.is(status, 400, query);
    t.regex(body.error, /^format is /);
  }
});
