import test from 'ava';
import { json, type Route } from '../../src/admin/route.js';
import { ask, askJson, SILENT, serve } from './ask.js';

const TOKEN = 's3cret-ünd-long';
const PROTECTED = ['/readyz', '/metrics', '/api/ledger', '/api/status', '/nothing', '/', '/%zz'];
/** As clients put bytes into a header. */
const bearer = (token: string) => ({
  authorization: `Bearer ${Buffer.from(token).toString('latin1')}`,
});

const drop: Route = { method: 'POST', path: '/api/drop', handle: () => json({ dropped: true }) };

test('with a token, every path but /healthz needs it', async (t) => {
  const { address } = await serve(t, { token: TOKEN, routes: [drop] });
  t.is((await askJson(t, address, '/healthz')).status, 200);
  t.is((await askJson(t, address, '/healthz?x=1')).status, 200);
  for (const path of [...PROTECTED, '/healthz/', '/healthzz', '//healthz', '/api/../healthz']) {
    const { status, headers, body } = await ask(address, path);
    t.is(status, 401, path);
    t.is(headers['www-authenticate'], 'Bearer realm="lars-reporter"');
    t.is(typeof (JSON.parse(body) as { error: unknown }).error, 'string');
  }
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'PROPFIND', 'HEAD'])
    t.is((await ask(address, '/api/drop', { method })).status, 401, method);
});

test('with the token, everything is served under any name', async (t) => {
  const { address } = await serve(t, { token: TOKEN, routes: [drop] });
  const headers = { ...bearer(TOKEN), host: 'lars.example.com', origin: 'https://elsewhere.example.com' };
  for (const path of ['/readyz', '/metrics', '/api/ledger', '/api/status'])
    t.is((await ask(address, path, { headers })).status, 200, path);
  t.is((await ask(address, '/nothing', { headers })).status, 404);
  t.is((await ask(address, '/%zz', { headers })).status, 400);
  t.is((await ask(address, '/api/drop', { headers, method: 'POST' })).status, 200);
});

test('the scheme is named in any case; nothing but the exact token will do', async (t) => {
  const token = 'abc';
  const { address } = await serve(t, { token });
  const status = async (authorization: string) =>
    (await ask(address, '/readyz', { headers: { authorization } })).status;
  t.is(await status('bearer abc'), 200);
  t.is(await status('BEARER  abc'), 200);
  for (const wrong of [
    '',
    'abc',
    'Bearer',
    'Bearer ',
    'Bearer ab',
    'Bearer abcd',
    'Bearer ABC',
    'Bearer abc, Bearer abc',
    'Basic abc',
    `Basic ${btoa(':abc')}`,
  ])
    t.is(await status(wrong), 401, wrong);
  t.is((await ask(address, '/readyz?token=abc&access_token=abc')).status, 401);
});

test('the token appears in no answer and in no log', async (t) => {
  const lines: string[] = [];
  const note = (fields: object, message: string) => lines.push(JSON.stringify({ ...fields, message }));
  const token = 'do-not-show';
  const failing: Route = {
    method: 'GET',
    path: '/fail',
    handle: () => {
      throw new Error('broken');
    },
  };
  const { address } = await serve(t, {
    token,
    routes: [failing],
    logger: { debug: note, info: note, warn: note, error: note },
  });
  for (const path of [...PROTECTED, '/healthz', '/fail', `/fail?token=${token}`, `/${token}`]) {
    for (const headers of [{}, bearer(token), bearer(`${token}x`)]) {
      const reply = await ask(address, path, { headers });
      t.notRegex(JSON.stringify(reply), /do-not-show/, path);
    }
  }
  t.is(lines.length, 2);
  t.notRegex(lines.join('\n'), /do-not-show/);
});

test('without a token, only names of this machine are served', async (t) => {
  const { address } = await serve(t);
  const status = async (host: string, path = '/api/status') =>
    (await ask(address, path, { headers: { host } })).status;
  const { port } = address;
  for (const own of [
    'localhost',
    `localhost:${port}`,
    'LOCALHOST',
    '127.0.0.1',
    `127.0.0.1:${port}`,
    '127.8.9.10',
    '[::1]',
    `[::1]:${port}`,
  ])
    t.is(await status(own), 200, own);
  for (const foreign of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:localhost',
    '[evil]',
    'localhost@evil.example',
  ]) {
    t.is(await status(foreign), 403, foreign);
    t.is(await status(foreign, '/nothing'), 403, foreign);
    t.is(await status(foreign, '/healthz'), 200, foreign);
  }
  const { body } = await askJson(t, address, '/api/status', { headers: { host: 'evil.example' } });
  t.regex(String(body.error), /Host header.*admin\.token/);
});

test('without a token, the configured host is served under its name', async (t) => {
  const { address } = await serve(t, { host: 'localhost' });
  t.is((await ask(address, '/readyz', { headers: { host: `localhost:${address.port}` } })).status, 200);
  t.is((await ask(address, '/readyz', { headers: { host: 'other' } })).status, 403);
});

test('without a token, pages of other sites cannot change anything', async (t) => {
  const { address } = await serve(t, { routes: [drop], logger: SILENT });
  const host = `127.0.0.1:${address.port}`;
  const post = async (headers: Record<string, string>) =>
    (await ask(address, '/api/drop', { method: 'POST', headers: { host, ...headers } })).status;
  t.is(await post({}), 200);
  t.is(await post({ origin: `http://${host}` }), 200);
  for (const origin of [
    'https://evil.example',
    'null',
    `http://localhost:${address.port}`,
    'http://127.0.0.1',
  ])
    t.is(await post({ origin }), 403, origin);
});
