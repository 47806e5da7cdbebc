import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type HandleOptions, type Reporter, startReporter } from '../../src/index.js';
import type { Address } from '../../src/model/status.js';
import { MemoryStore, numberedReport, until } from '../../src/testing/index.js';
import { ask } from '../admin/ask.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };

async function reporterOf(t: ExecutionContext, admin: ConfigInput['admin'] = {}): Promise<Reporter> {
  const config = { listen: { host: '127.0.0.1', port: 0 }, journal: { dir: `${tempDir(t)}/journal` }, admin };
  const reporter = await startReporter(config, { store: new MemoryStore(), ownHttp: false });
  t.teardown(() => reporter.stop());
  return reporter;
}

/** A server of a host, which shows its own words beside the page. */
async function hostServer(t: ExecutionContext, reporter: Reporter, how: HandleOptions): Promise<Address> {
  return serving(t, (request, response) => {
    if (request.url?.startsWith('/lars')) reporter.handle(request, response, how);
    else response.end('the host');
  });
}

async function serving(t: ExecutionContext, listener: RequestListener): Promise<Address> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const base = '/lars/reporter';

test('the page and the API are there below a path of the host’s server, and nothing beside it', async (t) => {
  const reporter = await reporterOf(t);
  t.is(reporter.admin, null);
  const host = await hostServer(t, reporter, { base });
  await reporter.report(numberedReport(7, 1, 3, 5));
  const page = await ask(host, `${base}/`);
  t.is(page.status, 200);
  t.regex(page.body, /<!doctype html>/i);
  t.regex(String(page.headers['content-security-policy']), /default-src 'none'/);
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"#]+)"/g)) {
    if (path!.startsWith('data:')) continue;
    t.false(path!.startsWith('/'), 'the page asks for what is beside it');
    t.is((await ask(host, `${base}/${path}`)).status, 200, path);
  }
  t.like(JSON.parse((await ask(host, `${base}/api/ledger`)).body), { received: 3, balanced: true });
  await until(async () => (await ask(host, `${base}/api/services`)).body.includes('"modid":8'), {
    ...BOUND,
    what: 'the view',
  });
  t.is((await ask(host, '/else')).body, 'the host');
  t.is((await ask(host, '/larsen')).status, 404);
  t.is((await ask(host, `${base}/nothing`)).status, 404);
  const short = await ask(host, `${base}?a=1`);
  t.deepEqual([short.status, short.headers.location], [308, 'reporter/?a=1']);
});

test('events reach who follows them through the host’s server, and the end of the reporter ends them', async (t) => {
  const reporter = await reporterOf(t);
  const host = await hostServer(t, reporter, { base });
  const following = ask(host, `${base}/api/events?reporter`);
  await until(async () => (await ask(host, `${base}/metrics`)).body.includes('streams 1'), {
    ...BOUND,
    what: 'the stream to be open',
  });
  await reporter.stop();
  t.regex((await following).body, /event: hello[\s\S]*event: bye/);
  t.is((await ask(host, `${base}/`)).status, 503);
});

test('a token is asked for through the host’s server, too', async (t) => {
  const reporter = await reporterOf(t, { token: 'secret' });
  const host = await hostServer(t, reporter, { base });
  t.is((await ask(host, `${base}/api/ledger`)).status, 401);
  const headers = { authorization: 'Bearer secret' };
  t.is((await ask(host, `${base}/api/ledger`, { headers })).status, 200);
  const login = await ask(host, `${base}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"token":"secret"}',
  });
  const [cookie] = login.headers['set-cookie']![0]!.split(';');
  t.is((await ask(host, `${base}/api/ledger`, { headers: { cookie: cookie! } })).status, 200);
});

test('who the host has checked needs no token; a viewer changes nothing; pages of other sites never do', async (t) => {
  const reporter = await reporterOf(t, { token: 'secret' });
  const viewer = await hostServer(t, reporter, { base, role: 'view' });
  const admin = await hostServer(t, reporter, { base, role: 'admin' });
  const drop = { method: 'DELETE' };
  const path = `${base}/api/dead-letters?all=true`;
  t.is((await ask(viewer, `${base}/api/ledger`)).status, 200);
  t.is((await ask(viewer, path, drop)).status, 403);
  t.is((await ask(admin, path, drop)).status, 200);
  const foreign = { ...drop, headers: { origin: 'http://elsewhere.example' } };
  t.is((await ask(admin, path, foreign)).status, 403);
  // Under whatever name the host is known.
  t.is((await ask(admin, `${base}/api/ledger`, { headers: { host: 'node7.example' } })).status, 200);
  t.deepEqual(JSON.parse((await ask(viewer, `${base}/api/session`)).body), {
    ...{ required: false, role: 'view', expires: null },
  });
});

test('without a token and a role, other machines and names of other machines get nothing', async (t) => {
  const reporter = await reporterOf(t);
  const local = await hostServer(t, reporter, { base });
  t.is((await ask(local, `${base}/api/ledger`, { headers: { host: 'node7.example' } })).status, 403);
  const remote = await serving(t, (request, response) => {
    // As a socket of another machine tells it.
    Object.defineProperty(request.socket, 'remoteAddress', { value: '10.1.2.3' });
    reporter.handle(request, response, { base });
  });
  t.is((await ask(remote, `${base}/api/ledger`)).status, 403);
  t.is((await ask(remote, `${base}/healthz`)).status, 200);
});

test('two reporters with the default admin address run in one process; each is shown by the host', async (t) => {
  const start = async () => {
    const config = { listen: { host: '127.0.0.1', port: 0 }, journal: { dir: `${tempDir(t)}/journal` } };
    const reporter = await startReporter(config, { store: new MemoryStore() });
    t.teardown(() => reporter.stop());
    return reporter;
  };
  const reporters = [await start(), await start()] as const;
  await reporters[0].report(numberedReport(1, 1, 3, 5));
  await reporters[1].report(numberedReport(1, 1, 4, 5));
  for (const [index, reporter] of reporters.entries()) {
    const host = await hostServer(t, reporter, { base });
    t.is(JSON.parse((await ask(host, `${base}/api/ledger`)).body).received, 3 + index);
  }
});
