import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { json, type Route } from '../../src/admin/route.js';
import { ReporterError } from '../../src/model/errors.js';
import type { Address } from '../../src/model/status.js';
import { renew, TestAuthority } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';
import { serve } from './ask.js';

function authorityOf(t: ExecutionContext) {
  const authority = new TestAuthority(tempDir(t));
  return { authority, tls: authority.issue(), ca: readFileSync(authority.ca) };
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly agent?: Agent;
}

/** Asks over HTTPS, believing this authority alone. */
async function ask({ host, port }: Address, path: string, ca: Buffer, { body, ...options }: Asked = {}) {
  const asked = request({ host, port, path, ca, agent: false, ...options });
  if (body !== undefined) asked.setHeader('content-type', 'application/json');
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** The number of the certificate that a new connection gets. */
async function shown({ host, port }: Address): Promise<string> {
  const socket = connect({ host, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('with a certificate, HTTPS is spoken and nothing else, and cookies are for HTTPS alone', async (t) => {
  const { tls, ca } = authorityOf(t);
  const { address } = await serve(t, { tls, token: 'open sesame' });
  t.is((await ask(address, '/healthz', ca)).status, 200);
  const body = JSON.stringify({ token: 'open sesame' });
  const { headers } = await ask(address, '/api/session', ca, { method: 'POST', body });
  t.regex(headers['set-cookie']![0]!, /; Secure$/);
  const plain = connectPlain(address.port, address.host);
  plain.on('error', () => {});
  plain.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  t.notRegex(await text(plain), /HTTP\//);
  await t.throwsAsync(
    once(connect({ ...address, rejectUnauthorized: false, maxVersion: 'TLSv1.1' }), 'secureConnect'),
  );
});

test('another certificate is shown from its renewal on, and no request under way is lost', async (t) => {
  const { authority, tls, ca } = authorityOf(t);
  let answer = () => {};
  const waiting = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow: Route = {
    method: 'GET',
    path: '/api/slow',
    handle: () => waiting.then(() => json({ done: true })),
  };
  const admin = await serve(t, { tls, routes: [slow] });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await ask(admin.address, '/healthz', ca, { agent });
  const before = await shown(admin.address);
  const underWay = ask(admin.address, '/api/slow', ca, { agent });
  const next = authority.issue();
  admin.setCertificate(next);
  t.not(await shown(admin.address), before);
  answer();
  t.deepEqual(JSON.parse((await underWay).body), { done: true });
  t.is((await ask(admin.address, '/healthz', ca, { agent })).status, 200, 'its connection goes on');

  const bad = { cert: next.cert, key: tls.key };
  t.throws(() => admin.setCertificate(bad), { instanceOf: ReporterError, code: 'CONFIG_INVALID' });
  renew(next, { cert: tls.cert, key: tls.key });
  t.not(await shown(admin.address), before, 'files are read when that is asked for');
  admin.setCertificate(next);
  t.is(await shown(admin.address), before);
});

test('a handshake that does not go on is ended, and others go on meanwhile', async (t) => {
  const { tls, ca } = authorityOf(t);
  const { address } = await serve(t, { tls, limits: { headersMs: 300, idleMs: 600_000 } });
  const slow = connectPlain(address.port, address.host);
  slow.on('error', () => {});
  await once(slow, 'connect');
  slow.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
  t.is((await ask(address, '/healthz', ca)).status, 200);
  await once(slow.resume(), 'close', { signal: AbortSignal.timeout(20_000) });
  t.is((await ask(address, '/healthz', ca)).status, 200);
});

test('a certificate and a key that do not belong together, or can be read by all, are refused with words', async (t) => {
  const { authority, tls } = authorityOf(t);
  const other = authority.issue();
  for (const [given, problem] of [
    [{ ...tls, key: other.key }, /^admin\.tls\.key = ".*": is not the key of the certificate in /],
    [{ ...tls, cert: tls.key }, /^admin\.tls\.cert = ".*": holds no certificate; expected PEM/],
    [{ ...tls, key: tls.cert }, /^admin\.tls\.key = ".*": every user of this machine may use it \(mode 0644/],
    [{ ...tls, cert: '/nowhere' }, /^admin\.tls\.cert = "\/nowhere": cannot be read \(ENOENT\)/],
    [{ ...tls, key: '/nowhere' }, /^admin\.tls\.key = "\/nowhere": does not exist/],
  ] as const)
    await t.throwsAsync(serve(t, { tls: given }), { code: 'CONFIG_INVALID', message: problem });
});

test('a handshake that hangs holds up no close', async (t) => {
  const { tls } = authorityOf(t);
  const admin = await serve(t, { tls, limits: { headersMs: 30_000 } });
  const slow = connectPlain(admin.address.port, admin.address.host);
  slow.on('error', () => {});
  await once(slow, 'connect');
  slow.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
  await shown(admin.address);
  const closed = once(slow.resume(), 'close', { signal: AbortSignal.timeout(20_000) });
  await admin.close();
  await t.notThrowsAsync(closed);
});
