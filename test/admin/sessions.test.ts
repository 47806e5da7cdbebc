import { Buffer } from 'node:buffer';
import test, { type ExecutionContext } from 'ava';
import { Sessions } from '../../src/admin/browser-sessions.js';
import { json, type Route } from '../../src/admin/route.js';
import type { Address } from '../../src/model/status.js';
import { ask, askJson, type Question, serve } from './ask.js';

const TOKEN = 's3cret-ünd-long';
const VIEW_TOKEN = 'look-only';
const PATH = '/api/session';

const drop: Route = { method: 'POST', path: '/api/drop', handle: () => json({ dropped: true }) };
const serveBoth = (t: ExecutionContext) => serve(t, { token: TOKEN, viewToken: VIEW_TOKEN, routes: [drop] });

const presented = (token: unknown, headers: Question['headers'] = {}): Question => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ token }),
});

const bearer = (token: string) => ({
  authorization: `Bearer ${Buffer.from(token).toString('latin1')}`,
});

/** Presents a token; `cookie` is what a browser sends from then on. */
async function logIn(address: Address, token: string, headers: Question['headers'] = {}) {
  const reply = await ask(address, PATH, presented(token, headers));
  const [setCookie = ''] = reply.headers['set-cookie'] ?? [];
  return { ...reply, setCookie, cookie: setCookie.slice(0, setCookie.indexOf(';')) };
}

test('a token buys a cookie that no script can read and no other site can use', async (t) => {
  const { address } = await serveBoth(t);
  const { status, body, setCookie } = await logIn(address, TOKEN);
  t.is(status, 200);
  t.regex(
    setCookie,
    new RegExp(`^lars_session_${address.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200$`),
  );
  const { expires, ...others } = JSON.parse(body) as { expires: string };
  t.deepEqual(others, { required: true, role: 'admin' } as object);
  t.true(Math.abs(Date.parse(expires) - Date.now() - 43_200_000) < 60_000);
});

test('the cookie is for https alone when it was asked for through https', async (t) => {
  const { address } = await serveBoth(t);
  const host = 'lars.example';
  t.regex((await logIn(address, TOKEN, { host, origin: `https://${host}` })).setCookie, /; Secure$/);
  t.regex((await logIn(address, TOKEN, { 'x-forwarded-proto': 'https' })).setCookie, /; Secure$/);
  t.notRegex((await logIn(address, TOKEN, { host, origin: `http://${host}` })).setCookie, /Secure/);
});

test('a session reads everything, and GET /api/session says who asks', async (t) => {
  const { address } = await serveBoth(t);
  const told = async (headers: Question['headers'] = {}) =>
    (await askJson<{ required: boolean; role: string | null; expires: string | null }>(t, address, PATH, {
      headers,
    })) as { status: number; body: { required: boolean; role: string | null; expires: string | null } };
  t.deepEqual((await told()).body, { required: true, role: null, expires: null });
  t.is((await told(bearer(VIEW_TOKEN))).body.role, 'view');
  for (const [token, role] of [
    [TOKEN, 'admin'],
    [VIEW_TOKEN, 'view'],
  ] as const) {
    const { cookie } = await logIn(address, token);
    t.is((await ask(address, '/api/status', { headers: { cookie } })).status, 200);
    t.is((await ask(address, '/metrics', { headers: { cookie: `other=1; ${cookie}; more=2` } })).status, 200);
    const { status, body } = await told({ cookie });
    t.is(status, 200);
    t.is(body.role, role);
    t.is(typeof body.expires, 'string');
  }
});

test('a cookie that was never handed out opens nothing', async (t) => {
  const { address } = await serveBoth(t);
  const name = `lars_session_${address.port}`;
  for (const cookie of [name, `${name}=`, `${name}=abc`, `x${name}=abc`, `lars_session_1=abc`, ''])
    t.is((await ask(address, '/api/status', { headers: { cookie } })).status, 401, cookie);
});

test('a session changes something only for a page of this server', async (t) => {
  const { address } = await serveBoth(t);
  const { cookie } = await logIn(address, TOKEN);
  const host = `127.0.0.1:${address.port}`;
  const post = async (headers: Question['headers']) =>
    (await ask(address, '/api/drop', { method: 'POST', headers: { host, cookie, ...headers } })).status;
  t.is(await post({ origin: `http://${host}` }), 200);
  t.is(await post({}), 403, 'without an origin');
  for (const origin of ['null', 'https://evil.example', `http://localhost:${address.port}`])
    t.is(await post({ origin }), 403, origin);
  t.is(
    await post({ ...bearer(TOKEN), origin: 'https://evil.example' }),
    200,
    'a token is sent by no browser',
  );
  t.is(await post({ ...bearer('wrong'), origin: `http://${host}` }), 401, 'a wrong token is not made good');
});

test('admin.viewToken reads everything and changes nothing, as a token and as a session', async (t) => {
  const { address } = await serveBoth(t);
  const host = `127.0.0.1:${address.port}`;
  const { cookie } = await logIn(address, VIEW_TOKEN);
  for (const headers of [bearer(VIEW_TOKEN), { host, origin: `http://${host}`, cookie }]) {
    for (const path of ['/readyz', '/metrics', '/api/ledger', '/api/status'])
      t.is((await ask(address, path, { headers })).status, 200, path);
    t.is((await ask(address, '/nothing', { headers })).status, 404);
    t.is((await ask(address, '/api/status', { headers, method: 'POST' })).status, 405);
    const { status, body } = await askJson(t, address, '/api/drop', { method: 'POST', headers });
    t.is(status, 403);
    t.regex(body.error, /admin\.viewToken.*admin\.token/);
  }
});

test('with admin.viewToken alone, it is needed to read, and nobody changes anything', async (t) => {
  const { address } = await serve(t, { viewToken: VIEW_TOKEN, routes: [drop] });
  t.is((await ask(address, '/api/status')).status, 401);
  t.is((await ask(address, '/api/status', { headers: bearer(VIEW_TOKEN) })).status, 200);
  t.is((await ask(address, '/api/drop', { method: 'POST', headers: bearer(VIEW_TOKEN) })).status, 403);
});

test('a session ends when its owner ends it', async (t) => {
  const { address } = await serveBoth(t);
  const [one, other] = [await logIn(address, TOKEN), await logIn(address, TOKEN)];
  const host = `127.0.0.1:${address.port}`;
  const end = (headers: Question['headers']) =>
    ask(address, PATH, { method: 'DELETE', headers: { host, ...headers } });
  t.is((await end({ cookie: one.cookie })).status, 403, 'not for a page of another site');
  const { status, headers } = await end({ cookie: one.cookie, origin: `http://${host}` });
  t.is(status, 200);
  t.regex(String(headers['set-cookie']), new RegExp(`^lars_session_${address.port}=; .*Max-Age=0$`));
  t.is((await ask(address, '/api/status', { headers: { cookie: one.cookie } })).status, 401);
  t.is((await ask(address, '/api/status', { headers: { cookie: other.cookie } })).status, 200);
  t.is((await end({})).status, 200, 'without a session there is nothing to end');
});

test('what is no token is 400, a wrong one 401, one from a page of another site 403', async (t) => {
  const { address } = await serveBoth(t);
  for (const body of ['{}', '[]', 'null', '{"token":1}', '{"token":""}', '{"token":"x","more":1}'])
    t.is((await ask(address, PATH, { ...presented(''), body })).status, 400, body);
  const { status, headers, body } = await ask(address, PATH, presented('wrong'));
  t.is(status, 401);
  t.is(headers['set-cookie'], undefined);
  t.regex(body, /admin\.token/);
  t.is((await ask(address, PATH, presented(TOKEN, { origin: 'https://evil.example' }))).status, 403);
});

test('after five wrong tokens in a second, no token is looked at, not even the right one', async (t) => {
  let nowMs = 0;
  const { address } = await serve(t, { token: TOKEN, nowMs: () => nowMs });
  for (let failures = 0; failures < 5; failures++)
    t.is((await ask(address, PATH, presented(`wrong ${failures}`))).status, 401);
  const { status, headers } = await ask(address, PATH, presented(TOKEN));
  t.is(status, 429);
  t.is(headers['retry-after'], '1');
  t.is((await ask(address, '/api/status', { headers: bearer(TOKEN) })).status, 200, 'tools go on');
  nowMs = 1000;
  t.is((await ask(address, PATH, presented(TOKEN))).status, 200);
});

test('without a token there is nothing to log in to', async (t) => {
  const { address } = await serve(t);
  const expected = { required: false, role: 'admin', expires: null };
  t.deepEqual((await askJson<object>(t, address, PATH)).body, expected);
  t.deepEqual((await askJson<object>(t, address, PATH, presented('any'))).body, expected);
});

test('sessions end after twelve hours, and are bounded: the oldest goes', (t) => {
  let nowMs = 0;
  const sessions = new Sessions(
    () => 1,
    () => nowMs,
  );
  const cookie = (id: string) => `lars_session_1=${id}`;
  const first = sessions.begin('admin');
  t.is(sessions.of(cookie(first))?.role, 'admin');
  nowMs = 43_200_000 - 1;
  const second = sessions.begin('view');
  t.is(sessions.of(cookie(first))?.role, 'admin');
  nowMs++;
  t.is(sessions.of(cookie(first)), undefined);
  t.is(sessions.of(cookie(second))?.role, 'view');
  for (let count = 0; count < 1023; count++) sessions.begin('view');
  t.is(sessions.of(cookie(second))?.role, 'view');
  sessions.begin('view');
  t.is(sessions.of(cookie(second)), undefined);
});

test('wrong tokens are forgotten after a second', (t) => {
  let nowMs = 0;
  const sessions = new Sessions(
    () => 1,
    () => nowMs,
  );
  for (let count = 0; count < 5; count++) {
    t.false(sessions.isGuessed);
    sessions.failed();
    nowMs += 100;
  }
  t.true(sessions.isGuessed);
  nowMs = 1000;
  t.false(sessions.isGuessed);
});
