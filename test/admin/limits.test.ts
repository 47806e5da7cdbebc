import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Route } from '../../src/admin/route.js';
import { ReporterError } from '../../src/model/errors.js';
import type { Address } from '../../src/model/status.js';
import { ask, serve } from './ask.js';

/** A connection that says only `text`; collects what it is told. */
async function open(t: ExecutionContext, { host, port }: Address, text = '') {
  const socket = connect(port, host);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const said = { socket, text: '', closed: closed(socket) };
  socket.on('data', (bytes) => {
    said.text += bytes.toString();
  });
  if (text !== '') socket.write(text);
  return said;
}

/** Settles when a connection or a body is over, in good order or not. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => {});
    stream.once('close', () => resolve());
  });
}

test('a busy port is LISTEN_FAILED, and says what to set', async (t) => {
  const { address } = await serve(t);
  const error = await t.throwsAsync(serve(t, { port: address.port }), { instanceOf: ReporterError });
  t.is(error.code, 'LISTEN_FAILED');
  t.true(error.message.includes(`127.0.0.1:${address.port}`));
  t.regex(error.message, /EADDRINUSE.*admin\.host.*admin\.port/);
  t.is((await ask(address, '/healthz')).status, 200);
});

test('an address that is not of this machine is LISTEN_FAILED', async (t) => {
  await t.throwsAsync(serve(t, { host: '192.0.2.1' }), { code: 'LISTEN_FAILED' });
});

test('headers and requests that do not end in time are answered 408 and closed', async (t) => {
  const { address } = await serve(t, {
    limits: { headersMs: 100, requestMs: 200 },
    routes: [
      { method: 'POST', path: '/post', handle: () => ({ status: 200, type: 'text/plain', body: '' }) },
    ],
  });
  const silent = await open(t, address);
  const headers = await open(t, address, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
  const body = await open(
    t,
    address,
    'POST /post HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  await Promise.all([silent.closed, headers.closed, body.closed]);
  for (const { text } of [headers, body]) {
    t.regex(text, /^HTTP\/1\.1 408 /);
    t.regex(text, /cache-control: no-store\r\n/);
    t.true(text.endsWith('{"error":"Request Timeout"}\n'), text);
  }
});

test('a connection that waits too long for its next request is closed', async (t) => {
  const { address } = await serve(t, { limits: { keepAliveMs: 50 } });
  const kept = await open(t, address, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await kept.closed;
  t.regex(kept.text, /^HTTP\/1\.1 200 /);
});

test('an answer that stands still is given up', async (t) => {
  const body = new Readable({ read: () => {} });
  body.push('first words');
  const still: Route = {
    method: 'GET',
    path: '/still',
    handle: () => ({ status: 200, type: 'text/plain', body }),
  };
  const { address } = await serve(t, { routes: [still], limits: { idleMs: 100 } });
  const ended = closed(body);
  const reader = await open(t, address, 'GET /still HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await reader.closed;
  t.regex(reader.text, /first words/);
  await ended;
});

test('headers beyond the limit are answered 431, what is no HTTP 400, and closed', async (t) => {
  const { address } = await serve(t, { limits: { maxHeaderBytes: 2000 } });
  const large = await open(t, address, `GET /healthz HTTP/1.1\r\nx-large: ${'x'.repeat(2000)}`);
  const strange = await open(t, address, 'these are not the bytes you expect\r\n\r\n');
  await Promise.all([large.closed, strange.closed]);
  t.regex(large.text, /^HTTP\/1\.1 431 .*\r\n\r\n\{"error":"Request Header Fields Too Large"\}\n$/s);
  t.regex(strange.text, /^HTTP\/1\.1 400 .*\r\n\r\n\{"error":"Bad Request"\}\n$/s);
  t.is((await ask(address, '/healthz')).status, 200);
});

test('connections beyond the limit are closed, the others do not notice', async (t) => {
  const { address } = await serve(t, { limits: { maxConnections: 2 } });
  const first = await open(t, address);
  const second = await open(t, address);
  const third = await open(t, address);
  await third.closed;
  t.is(third.text, '');
  first.socket.write('GET /healthz HTTP/1.0\r\n\r\n');
  await first.closed;
  t.regex(first.text, /^HTTP\/1\.1 200 /);
  t.false(second.socket.destroyed);
});

test('close ends every connection at once: kept alive, silent, half said, in the middle of an answer', async (t) => {
  const body = new Readable({ read: () => {} });
  body.push('first words');
  const admin = await serve(t, {
    routes: [{ method: 'GET', path: '/still', handle: () => ({ status: 200, type: 'text/plain', body }) }],
  });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const { port } = admin.address;
  const [kept] = (await new Promise<Socket[]>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/healthz', agent }, (response) => {
      const { socket } = response;
      response.resume().once('end', () => resolve([socket]));
    })
      .on('error', reject)
      .end();
  }))!;
  const reader = await open(t, admin.address, 'GET /still HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(reader.socket, 'data');
  const others = [
    await open(t, admin.address),
    await open(t, admin.address, 'GET /healthz HTTP/1.1\r\nhost: '),
  ];
  const ends = [closed(body), closed(kept!), reader.closed, ...others.map((other) => other.closed)];
  await Promise.all([admin.close(), admin.close()]);
  await Promise.all(ends);
  await t.throwsAsync(ask(admin.address, '/healthz'), { code: 'ECONNREFUSED' });
});

test('a process ends by itself after close', async (t) => {
  const file = fileURLToPath(new URL('./closing-process.js', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 });
  t.is(stdout, 'closed\n');
  t.is(stderr, '');
});
