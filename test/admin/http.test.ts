import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import type { Readiness } from '../../src/admin/readiness.js';
import { json, type Route } from '../../src/admin/route.js';
import type { Ledger, ReporterStatus } from '../../src/model/status.js';
import { ask, askJson, SILENT, serve } from './ask.js';
import { parsePrometheus } from './prometheus.js';
import { busyStatus, reporterStatus, writerStatus } from './statuses.js';

const STARTING = reporterStatus({ state: 'starting', writers: [] });

async function readyz(t: ExecutionContext, status: ReporterStatus) {
  const { address } = await serve(t, { status: () => status });
  return askJson<Readiness>(t, address, '/readyz');
}

test('/healthz is 200 in every state', async (t) => {
  for (const status of [
    STARTING,
    reporterStatus({ state: 'draining' }),
    reporterStatus({ journalError: 'EIO' }),
  ]) {
    const { address } = await serve(t, { status: () => status });
    t.deepEqual(await askJson<object>(t, address, '/healthz'), { status: 200, body: { status: 'ok' } });
  }
});

test('/readyz is 200 while the reporter runs, and tells of each writer', async (t) => {
  t.deepEqual(await readyz(t, busyStatus()), {
    status: 200,
    body: {
      ready: true,
      state: 'running',
      reasons: [],
      journal: { ok: true, error: null },
      writers: [
        {
          partition: 0,
          state: 'running',
          restarts: 2,
          lastCrash: 'the disk is on fire',
          store: { state: 'ok' },
          pending: 49,
          oldestPendingSeconds: 17,
          full: false,
        },
        {
          partition: 1,
          state: 'running',
          restarts: 0,
          lastCrash: null,
          store: { state: 'ok' },
          pending: 7,
          oldestPendingSeconds: 4,
          full: false,
        },
      ],
    },
  });
});

test('/readyz is 503 while starting', async (t) => {
  const { status, body } = await readyz(t, STARTING);
  t.is(status, 503);
  t.deepEqual(body, {
    ready: false,
    state: 'starting',
    reasons: ['the reporter is starting'],
    journal: { ok: false, error: null },
    writers: [],
  });
});

for (const state of ['draining', 'stopped'] as const) {
  test(`/readyz is 503 when ${state}`, async (t) => {
    const { status, body } = await readyz(t, reporterStatus({ state }));
    t.is(status, 503);
    t.is(body.ready, false);
    t.is(body.state, state);
    t.regex(String(body.reasons), new RegExp(state));
  });
}

test('/readyz is 503 when the journal fails, and says why', async (t) => {
  const { status, body } = await readyz(t, reporterStatus({ journalError: 'ENOSPC: no space left' }));
  t.is(status, 503);
  t.deepEqual(body.journal, { ok: false, error: 'ENOSPC: no space left' });
  t.regex(String(body.reasons), /journal.*ENOSPC/);
});

test('/readyz is 503 when a writer cannot be saved, and names it', async (t) => {
  const writers = [
    writerStatus(),
    writerStatus({ partition: 1, state: 'failing', restarts: 11, lastCrash: 'out of luck' }),
  ];
  const { status, body } = await readyz(t, reporterStatus({ writers }));
  t.is(status, 503);
  t.deepEqual(body.reasons, ['writer 1 keeps crashing: out of luck']);
});

test('/readyz stays 200 while a writer restarts', async (t) => {
  for (const state of ['restarting', 'recovering'] as const)
    t.is((await readyz(t, reporterStatus({ writers: [writerStatus({ state })] }))).status, 200);
});

test('/readyz stays 200 when only the store is away, and shows it', async (t) => {
  const store = {
    state: 'failing',
    class: 'retry',
    code: 'ECONNREFUSED',
    message: 'cannot connect',
    sinceMs: 1_795_331_921_000,
  } as const;
  const { status, body } = await readyz(
    t,
    reporterStatus({ writers: [writerStatus({ store, oldestPendingSeconds: 99 })] }),
  );
  t.is(status, 200);
  t.like(body, { ready: true, reasons: [] });
  t.like(body.writers[0], { store, oldestPendingSeconds: 99 });
});

test('/metrics is Prometheus text of the same counts as the ledger', async (t) => {
  const { address } = await serve(t, { status: busyStatus });
  const { status, headers, body } = await ask(address, '/metrics');
  t.is(status, 200);
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const families = parsePrometheus(body);
  const { body: ledger } = await askJson<Ledger>(t, address, '/api/ledger');
  for (const [field, metric] of Object.entries({
    received: 'rows_received_total',
    recovered: 'rows_recovered_total',
    upserted: 'rows_upserted_total',
    coalesced: 'rows_coalesced_total',
    deadLettered: 'rows_dead_lettered_total',
    pending: 'rows_pending',
  })) {
    const name = `lars_reporter_${metric}`;
    t.is(families.get(name)?.samples.get(name), ledger[field as 'received'], metric);
  }
});

test('/metrics answers while starting', async (t) => {
  const { address } = await serve(t, { status: () => STARTING });
  const { status, body } = await ask(address, '/metrics');
  t.is(status, 200);
  t.true(parsePrometheus(body).has('lars_reporter_rows_pending'));
});

test('/api/ledger is the equation, in total and of each writer', async (t) => {
  const { address } = await serve(t, { status: busyStatus });
  const { status, body } = await askJson<Ledger>(t, address, '/api/ledger');
  t.is(status, 200);
  t.deepEqual(body, {
    received: 3021,
    recovered: 50,
    upserted: 2690,
    coalesced: 303,
    rejected: 21,
    deadLettered: 1,
    pending: 56,
    balanced: true,
    writers: [
      {
        partition: 0,
        received: 1000,
        recovered: 50,
        upserted: 700,
        coalesced: 300,
        rejected: 0,
        deadLettered: 1,
        pending: 49,
        balanced: true,
      },
      {
        partition: 1,
        received: 2000,
        recovered: 0,
        upserted: 1990,
        coalesced: 3,
        rejected: 0,
        deadLettered: 0,
        pending: 7,
        balanced: true,
      },
    ],
  });
});

test('/api/status is the whole status', async (t) => {
  const { address } = await serve(t, { status: busyStatus });
  const { status, body } = await askJson<object>(t, address, '/api/status');
  t.is(status, 200);
  t.deepEqual(body, JSON.parse(JSON.stringify(busyStatus())) as object);
});

test('while starting there is no ledger, the status says starting; then there is the real thing', async (t) => {
  let status = STARTING;
  const { address } = await serve(t, { status: () => status });
  const starting = await askJson(t, address, '/api/ledger');
  t.is(starting.status, 503);
  t.regex(String(starting.body.error), /starting/);
  const known = await askJson<ReporterStatus>(t, address, '/api/status');
  t.like(known, { status: 200, body: { state: 'starting', writers: [] } });
  status = reporterStatus();
  for (const path of ['/api/ledger', '/api/status', '/readyz'])
    t.is((await askJson(t, address, path)).status, 200, path);
});

test('unknown paths are 404, in JSON, whatever the method and the body', async (t) => {
  const { address } = await serve(t);
  for (const path of ['/', '/nothing', '/healthz/', '/api', '/api/ledger/x', '/favicon.ico?token=secret']) {
    const { status, body } = await askJson(t, address, path);
    t.is(status, 404, path);
    t.deepEqual(body, { error: 'there is no such path' });
  }
  const headers = { 'content-type': 'application/xml' };
  for (const method of ['POST', 'OPTIONS', 'PROPFIND'])
    t.is((await askJson(t, address, '/nothing', { method, headers, body: '<x/>' })).status, 404, method);
});

test('other methods are 405, in JSON, and name those there are', async (t) => {
  const { address } = await serve(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/ledger', '/api/status']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, body } = await ask(address, path, { method });
      t.is(status, 405, `${method} ${path}`);
      t.is(headers.allow, 'GET, HEAD');
      t.deepEqual(JSON.parse(body), { error: 'this path takes GET, HEAD' });
    }
  }
});

test('HEAD answers like GET, without a body', async (t) => {
  const { address } = await serve(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/ledger', '/nothing']) {
    const got = await ask(address, path);
    const head = await ask(address, path, { method: 'HEAD' });
    t.is(head.status, got.status, path);
    t.is(head.headers['content-length'], got.headers['content-length'], path);
    t.is(head.headers['content-type'], got.headers['content-type'], path);
    t.is(head.body, '');
  }
});

test('a path that is none is 400, in JSON', async (t) => {
  const { address } = await serve(t);
  t.deepEqual(await askJson(t, address, '/%zz'), {
    status: 400,
    body: { error: 'the path is not a valid one' },
  });
});

test('nothing is ever cached', async (t) => {
  const { address } = await serve(t, { token: 'secret' });
  const headers = { authorization: 'Bearer secret' };
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/ledger', '/nothing', '/%zz']) {
    t.is((await ask(address, path, { headers })).headers['cache-control'], 'no-store', path);
    t.is((await ask(address, path)).headers['cache-control'], 'no-store', path);
    t.is((await ask(address, path, { method: 'POST' })).headers['cache-control'], 'no-store', path);
  }
});

test('two servers run side by side, each with its own status', async (t) => {
  const one = await serve(t, { status: busyStatus });
  const two = await serve(t);
  t.not(one.address.port, two.address.port);
  t.is((await askJson<Ledger>(t, one.address, '/api/ledger')).body.received, 3021);
  t.is((await askJson<Ledger>(t, two.address, '/api/ledger')).body.received, 0);
  await one.close();
  t.is((await askJson(t, two.address, '/healthz')).status, 200);
  await t.throwsAsync(ask(one.address, '/healthz'), { code: 'ECONNREFUSED' });
});

test('a failing handler is 500 without a word of what happened, and is logged', async (t) => {
  const logged: unknown[] = [];
  const { address } = await serve(t, {
    logger: { ...SILENT, error: (fields, message) => logged.push({ ...fields, message }) },
    status: () => {
      throw new Error('deep secret');
    },
  });
  for (const path of ['/readyz', '/metrics', '/api/ledger']) {
    const { status, body } = await askJson(t, address, `${path}?token=secret`);
    t.is(status, 500, path);
    t.deepEqual(body, { error: 'the request failed; the log of the reporter says why' });
  }
  t.is(logged.length, 3);
  t.like(logged[0], { route: 'GET /readyz', message: 'an admin request failed' });
  t.regex(JSON.stringify(logged), /deep secret/);
  t.notRegex(JSON.stringify(logged), /token/);
  t.is((await askJson(t, address, '/healthz')).status, 200);
});

test('whatever a handler throws is 500, and what it claims to be is not believed', async (t) => {
  const logged: object[] = [];
  const thrown = [
    undefined,
    null,
    'words',
    Object.assign(new Error('gone'), { code: 'FST_X', statusCode: 404 }),
  ];
  const routes = thrown.map(
    (what, index): Route => ({ method: 'GET', path: `/${index}`, handle: () => Promise.reject(what) }),
  );
  const { address } = await serve(t, {
    routes,
    logger: { ...SILENT, error: (fields) => logged.push(fields) },
  });
  for (const { path } of routes) t.is((await askJson(t, address, path)).status, 500, path);
  t.like(logged, [{ error: 'undefined' }, { error: 'null' }, { error: 'words' }, { route: 'GET /3' }]);
});

const echo: Route = {
  method: 'GET',
  path: '/api/echo/:a/:b',
  handle: ({ params, query, body }) => json({ params, query: [...query], body: body ?? null }),
};

test('further routes get parameters, query and body', async (t) => {
  const { address } = await serve(t, { routes: [echo, { ...echo, method: 'POST' }] });
  t.deepEqual(await askJson<object>(t, address, '/api/echo/1/a%20b?x=1&x=2&y'), {
    status: 200,
    body: {
      params: { a: '1', b: 'a b' },
      query: [
        ['x', '1'],
        ['x', '2'],
        ['y', ''],
      ],
      body: null,
    },
  });
  const headers = { 'content-type': 'application/json' };
  const posted = await askJson<{ readonly body: unknown }>(t, address, '/api/echo/1/2', {
    method: 'POST',
    headers,
    body: '{"keys":[1]}',
  });
  t.deepEqual(posted.body.body, { keys: [1] });
  const { status, headers: answered } = await ask(address, '/api/echo/1/2', { method: 'DELETE' });
  t.is(status, 405);
  t.is(answered.allow, 'GET, HEAD, POST');
});

test('bodies that are not JSON, broken or too large are refused in words', async (t) => {
  const { address } = await serve(t, {
    routes: [{ ...echo, method: 'POST' }],
    limits: { maxBodyBytes: 1000 },
  });
  const post = (type: string, body: string) =>
    askJson(t, address, '/api/echo/1/2', { method: 'POST', headers: { 'content-type': type }, body });
  t.is((await post('text/plain', '{}')).status, 415);
  t.is((await post('application/x-www-form-urlencoded', 'a=1')).status, 415);
  t.is((await post('application/json', '{')).status, 400);
  t.is((await post('application/json', '{"__proto__":{}}')).status, 400);
  const large = await post('application/json', JSON.stringify('x'.repeat(1000)));
  t.is(large.status, 413);
  t.is(typeof large.body.error, 'string');
});

test('a stream goes out as it comes, and ends when its reader goes away', async (t) => {
  const streams: Readable[] = [];
  const events: Route = {
    method: 'GET',
    path: '/events',
    handle: () => {
      const body = new Readable({ read: () => {} });
      body.push('data: 1\n\n');
      streams.push(body);
      return { status: 200, type: 'text/event-stream', body };
    },
  };
  const { address } = await serve(t, { routes: [events] });
  const leave = new AbortController();
  const response = await fetch(`http://127.0.0.1:${address.port}/events`, { signal: leave.signal });
  t.is(response.headers.get('content-type'), 'text/event-stream');
  const reader = response.body!.getReader();
  t.is(Buffer.from((await reader.read()).value!).toString(), 'data: 1\n\n');
  const ended = new Promise((resolve) => streams[0]!.once('close', resolve));
  leave.abort();
  await ended;

  const head = await ask(address, '/events', { method: 'HEAD' });
  t.is(head.status, 200);
  t.true(streams[1]!.destroyed);
});
