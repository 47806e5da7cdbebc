import { constants, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, createServer as createTlsServer } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { connectAgent, startAgent } from '../../src/client/index.js';
import { socketBeneath } from '../../src/intake/tls/secured-socket.js';
import { HostileAgent } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { TestAuthority } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';
import { BOUND, endOf, frameOf, shownBy, TlsSite } from '../support/tls.js';

/** Not the code of an alert: the reporter resets who it does not take. */
const isRefused = (end: string) => end === 'error' || end === 'closed';

async function refused(t: ExecutionContext, site: TlsSite, options: Parameters<TlsSite['dial']>[0]) {
  const socket = site.dial(options);
  socket.on('secureConnect', () => socket.write(frameOf(99, 99)));
  t.true(isRefused(await endOf(socket)));
}

test('this version of Node tells which socket lies beneath one with TLS', async (t) => {
  const { own, authority } = await TlsSite.start(t);
  const server = createTlsServer({ cert: readFileSync(own.cert), key: readFileSync(own.key) });
  const listening = createServer({ pauseOnConnect: true }, (socket) => {
    server.once('secureConnection', (secured) => {
      t.is(socketBeneath(secured), socket, 'src/intake/tls/secured-socket.ts relies on it');
      secured.destroy();
    });
    server.emit('connection', socket);
  });
  t.teardown(() => listening.close());
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  const { port } = listening.address() as AddressInfo;
  await endOf(connect({ port, host: '127.0.0.1', ca: readFileSync(authority.ca) }));
  t.plan(1);
});

test('agents with TLS and without are read side by side; a restart of neither is needed for the other', async (t) => {
  const site = await TlsSite.start(t);
  const tls = { ca: readFileSync(site.authority.ca) };
  const one = await connectAgent({ host: '127.0.0.1', port: site.port, tls });
  await one.sendBytes(Buffer.concat([frameOf(1, 1), frameOf(2, 2)]));
  const plain = await connectAgent({ host: '127.0.0.1', port: site.reporter.address.port });
  await plain.sendBytes(frameOf(3, 3));
  await Promise.all([1, 2, 3].map((number) => site.stored(number)));
  const { traffic } = site.reporter.status();
  t.like(traffic.tls, { connections: 1, pending: 0, handshakes: 1 });
  t.is(traffic.connections, 2);
  await Promise.all([one.close(), plain.close()]);
  await until(() => site.tls.connections === 0, { ...BOUND, what: 'its end' });
  t.deepEqual(site.warnings, []);
});

test('who shows no certificate, one of a stranger, one that has expired or one that is for servers alone, is refused, counted and told why', async (t) => {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }));
  const { authority } = site;
  const other = new TestAuthority(tempDir(t));
  await refused(t, site, {});
  await site.failed('no-certificate');
  await refused(t, site, { ...shownBy(authority, other.issue()) } as object);
  await site.failed('untrusted', 1);
  await refused(t, site, { ...shownBy(authority, authority.selfSigned()) } as object);
  await site.failed('untrusted', 2);
  await refused(t, site, { ...shownBy(authority, authority.issue({ isOver: true })) } as object);
  await site.failed('untrusted', 3);
  await refused(t, site, { ...shownBy(authority, authority.issue({ usage: 'serverAuth' })) } as object);
  await site.failed('untrusted', 4);
  const good = await site.secured({ ...shownBy(authority, authority.issue()) } as object);
  good.write(frameOf(1, 1));
  await site.stored(1);
  t.false([...site.store.rows.values()].some(({ succ }) => succ === 99));
  t.deepEqual(
    site.warnings.map(({ kind }) => kind),
    ['tls-no-certificate', 'tls-untrusted'],
  );
  t.is(site.reporter.status().traffic.accepted, 1);
});

test('only certificates with a name or a fingerprint that is allowed are let in', async (t) => {
  const stranger = new TestAuthority(tempDir(t)).selfSigned();
  const { fingerprint256 } = new X509Certificate(readFileSync(stranger.cert));
  const site = await TlsSite.start(t, ({ ca }) => ({
    ...{ ca, clientAuth: 'required' },
    allowNames: ['*.agents.example'],
    allowFingerprints: [fingerprint256],
  }));
  const { authority } = site;
  const shown = (names: string) => shownBy(authority, authority.issue({ names })) as object;
  const named = await site.secured(shown('DNS:a.agents.example'));
  named.write(frameOf(1, 1));
  await site.stored(1);
  const pinned = await site.secured(shownBy(authority, stranger) as object);
  pinned.write(frameOf(2, 2));
  await site.stored(2);
  await refused(t, site, shown('DNS:a.others.example'));
  await refused(t, site, shown('DNS:agents.example'));
  await site.failed('not-allowed', 2);
  t.regex(site.warnings[0]!.message, /a\.others\.example, SHA-256 [0-9A-F]{64}\) is in neither/);
});

test('what is not TLS, too old, broken or cut off is counted by its reason', async (t) => {
  const site = await TlsSite.start(t);
  const send = async (bytes: Uint8Array) => {
    const socket = await site.bare();
    socket.write(bytes);
    return socket;
  };
  await endOf(await send(frameOf(1, 1, 30)));
  await site.failed('not-tls', 1);
  await endOf(await send(Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n')));
  await site.failed('not-tls', 2);
  await endOf(site.dial({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  await site.failed('version');
  await endOf(await send(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 9])));
  await site.failed('protocol');
  (await send(Buffer.from([0x16, 3, 1, 2, 0, 1]))).end();
  await site.failed('aborted');
  // A health check.
  const check = await site.bare();
  await until(() => site.tls.pending === 1, { ...BOUND, what: 'it to be there' });
  check.end();
  await until(() => site.tls.pending === 0, { ...BOUND, what: 'it to be gone' });
  t.is(site.tls.failed.aborted, 1);
  t.regex(site.warnings[0]!.message, /not TLS: an agent that speaks none belongs to listen\.port/);
  t.is(site.tls.handshakes, 0);
});

test('who leaves without a word, in order or with a reset, before its handshake or in it, is no news', async (t) => {
  const site = await TlsSite.start(t);
  for (let round = 0; round < 60; round++) {
    const check = await HostileAgent.connect({ port: site.port });
    // In every third its handshake has begun, in every third it may have.
    if (round % 3 > 0) await until(() => site.tls.pending === 1, { ...BOUND, what: 'it to be there' });
    if (round % 3 > 1) await pause(2);
    await (round % 2 === 0 ? check.reset() : check.close());
    await until(() => site.tls.pending === 0, { ...BOUND, what: 'it to be gone' });
  }
  t.deepEqual(site.warnings, []);
  t.is(site.tls.failed.aborted, 0);
});

test('a peer with TLS on the plain port is told for what it is', async (t) => {
  const site = await TlsSite.start(t);
  await endOf(site.dial({ port: site.reporter.address.port }));
  await until(() => site.warnings.length > 0, { ...BOUND, what: 'the warning' });
  t.regex(site.warnings[0]!.message, /looks like TLS, which is spoken on listen\.tls\.port/);
});

test('keys are never agreed on anew within a connection', async (t) => {
  const site = await TlsSite.start(t);
  const socket = await site.secured({
    maxVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  });
  const refusal = await new Promise<Error | null>((resolve) => {
    socket.once('error', resolve);
    socket.renegotiate({}, resolve);
  });
  t.regex(String(refusal), /NO_RENEGOTIATION|no renegotiation/i);
  t.is(socket.isSessionReused(), false);
});

test('the gate looks before the handshake: who may not connect is shown no certificate', async (t) => {
  const site = await TlsSite.start(t, {}, { deny: ['127.0.9.0/24'], perAddress: { connections: 2 } });
  await endOf(site.dial({ localAddress: '127.0.9.1' }));
  await until(() => site.reporter.status().traffic.denied.address === 1, { ...BOUND, what: 'the denial' });
  // Half-open handshakes count, too.
  const local = { localAddress: '127.0.8.1' };
  await site.secured(local);
  await site.bare(local);
  await until(() => site.tls.pending === 1, { ...BOUND, what: 'the second one' });
  await endOf(site.dial(local));
  t.is(site.reporter.status().traffic.denied['address-full'], 1);
  t.is(site.tls.handshakes, 1);
});

test('what an agent sends is read no faster than it is journaled, and none of it is lost', async (t) => {
  const site = await TlsSite.start(t, {}, { maxInflightBytes: 1_000_000 });
  const agent = await connectAgent({ host: '127.0.0.1', port: site.port, tls: shownBy(site.authority) });
  let highest = 0;
  const looking = setInterval(() => {
    highest = Math.max(highest, site.reporter.status().inflightBytes);
  }, 1);
  t.teardown(() => clearInterval(looking));
  const many = Buffer.concat(Array.from({ length: 50 }, (_, index) => frameOf(index, 7, 20)));
  const rounds = 200;
  for (let round = 0; round < rounds; round++) await agent.sendBytes(many);
  await agent.sendBytes(frameOf(60, 8));
  await agent.close();
  await site.stored(8);
  t.is(site.reporter.status().traffic.reports, rounds * 50 + 1);
  t.true(highest < 1_100_000, String(highest));
  t.true(site.reporter.ledger().balanced);
});

test('a socket that is not read because the budget is used up makes its peer wait', async (t) => {
  const site = await TlsSite.start(t, {}, { perAddress: { reportsPerSecond: 1 } });
  const socket = await site.secured({ localAddress: '127.0.7.1' });
  const chunk = Buffer.concat(Array.from({ length: 1000 }, () => frameOf(1, 1, 50)));
  for (let megabytes = 0; megabytes < 64; megabytes++) socket.write(chunk);
  let before = -1;
  await until(
    async () => {
      const isStanding = before === socket.writableLength;
      before = socket.writableLength;
      await pause(200);
      return isStanding;
    },
    { ...BOUND, what: 'it to stand still' },
  );
  t.true(socket.writableLength > 16 * chunk.length, 'the reporter has read what it could not journal');
  t.true(site.reporter.status().traffic.bytes < 4_000_000);
});

test('half-open handshakes of one address take no place from others; their time is up, and agents without TLS do not notice', async (t) => {
  const site = await TlsSite.start(t, { maxHandshakes: 4, handshakeTimeoutMs: 3000 });
  const neighbour = await HostileAgent.connect({ port: site.reporter.address.port });
  t.teardown(() => neighbour.destroy());
  let ended = 0;
  for (let count = 0; count < 50; count++)
    void site.bare({ localAddress: '127.0.5.1' }).then(async (socket) => {
      await endOf(socket);
      ended++;
    });
  await until(() => site.tls.pending >= 20, { ...BOUND, what: 'the flood' });
  for (let number = 1; number <= 10; number++) {
    const good = await site.secured({ localAddress: '127.0.6.1' });
    good.write(frameOf(number, number));
    await site.stored(number);
    await neighbour.sendBytes(frameOf(50 + number, 50 + number));
    await site.stored(50 + number);
  }
  await until(() => ended === 50 && site.tls.pending === 0, { ...BOUND, what: 'the end of all of them' });
  const { timeout, full } = site.tls.failed;
  t.is(timeout + full, 50);
  t.true(timeout >= 2);
  t.true(neighbour.isOpen);
});

test('half-open handshakes of many addresses give up their places while others wait', async (t) => {
  const site = await TlsSite.start(t, { maxHandshakes: 2, handshakeTimeoutMs: 60_000 });
  for (let each = 1; each <= 6; each++) await site.bare({ localAddress: `127.0.5.${each}` });
  await until(() => site.tls.pending === 6, { ...BOUND, what: 'the flood' });
  const good = await site.secured({ localAddress: '127.0.6.1' });
  good.write(frameOf(1, 1));
  await site.stored(1);
  t.true(site.tls.failed.timeout >= 2);
});

test('half-open handshakes give up their places to others of their address, and to nobody else for them', async (t) => {
  const site = await TlsSite.start(t, { maxHandshakes: 4, handshakeTimeoutMs: 600_000 });
  const slow = await Promise.all([1, 2].map(() => site.bare({ localAddress: '127.0.7.1' })));
  await until(() => site.tls.pending === 2, { ...BOUND, what: 'two that are slow' });
  for (let each = 1; each <= 6; each++) await site.bare({ localAddress: '127.0.5.1' });
  for (const socket of slow) socket.resume();
  site.dial({ localAddress: '127.0.5.1' }).write(frameOf(1, 1));
  await site.stored(1);
  t.true(site.tls.failed.timeout >= 4);
  t.is(site.tls.pending, 8 - site.tls.failed.timeout);
  t.true(slow.every((socket) => !socket.closed && !socket.destroyed));
});

test('connections that wait for a handshake give up their places to agents', async (t) => {
  const site = await TlsSite.start(
    t,
    { maxHandshakes: 1, handshakeTimeoutMs: 60_000 },
    { maxConnections: 5 },
  );
  for (let each = 1; each <= 5; each++) await site.bare({ localAddress: `127.0.5.${each}` });
  await until(() => site.tls.pending === 5, { ...BOUND, what: 'the flood' });
  // There is no place for one more that has shown nothing.
  await site.bare({ localAddress: '127.0.5.9' }).then(endOf, () => undefined);
  t.is(site.reporter.status().traffic.refused, 1);
  for (let each = 1; each <= 5; each++) {
    const plain = await HostileAgent.connect({ port: site.reporter.address.port });
    t.teardown(() => plain.destroy());
    await plain.sendBytes(frameOf(each, each));
    await site.stored(each);
  }
  t.is(site.tls.pending, 0);
  // The one under way may have given up its place to those that wait.
  t.is(site.tls.failed.full + site.tls.failed.timeout, 5);
});

test('an address of which many wait for a handshake gives up places to one of which none does', async (t) => {
  const site = await TlsSite.start(
    t,
    { maxHandshakes: 2, handshakeTimeoutMs: 600_000 },
    { maxConnections: 8 },
  );
  for (let each = 0; each < 8; each++) await site.bare({ localAddress: `127.0.5.${each % 2}` });
  await until(() => site.tls.pending === 8, { ...BOUND, what: 'the flood' });
  site.dial({ localAddress: '127.0.6.1' }).write(frameOf(1, 1));
  await site.stored(1);
  t.is(site.tls.failed.full, 1);
  t.is(site.reporter.status().traffic.refused, 0);
});

test('a balancer tells in front of the TLS bytes whom it speaks for; a stranger who does so is refused', async (t) => {
  const site = await TlsSite.start(t, {}, { proxyFrom: ['127.20.0.0/16'], deny: ['10.66.0.0/16'] });
  const through = async (header: Buffer, localAddress = '127.20.0.1') => {
    const socket = await site.bare({ localAddress });
    for (const byte of header) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    return { socket, agent: site.dial({ socket }) };
  };
  const isOver = ({ socket }: { readonly socket: Socket }) =>
    until(() => socket.destroyed, { ...BOUND, what: 'its end' });
  const line = (address: string) => Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 40000 7779\r\n`);
  const { agent: good } = await through(line('10.1.2.3'));
  await once(good, 'secureConnect');
  good.write(frameOf(1, 1));
  await site.stored(1);
  await isOver(await through(line('10.66.0.1')));
  t.is(site.reporter.status().traffic.denied.address, 1);
  await isOver(await through(line('10.1.2.3'), '127.21.0.1'));
  await site.failed('not-tls');
  await isOver(await through(Buffer.alloc(0)));
  t.is(site.reporter.status().traffic.denied['proxy-header'], 1);
  t.deepEqual(
    site.warnings.map(({ peer, kind }) => [peer, kind]),
    [
      ['10.66.0.1', 'address'],
      ['127.21.0.1', 'tls-not-tls'],
      ['127.20.0.1', 'proxy-header'],
    ],
  );
});

test('header and ClientHello may come in one piece', async (t) => {
  const site = await TlsSite.start(t, {}, { proxyFrom: ['127.20.0.0/16'] });
  const socket = await site.bare({ localAddress: '127.20.0.1' });
  socket.cork();
  socket.write('PROXY TCP4 10.1.2.3 127.0.0.1 40000 7779\r\n');
  const agent = site.dial({ socket });
  process.nextTick(() => socket.uncork());
  await once(agent, 'secureConnect');
  agent.write(frameOf(1, 1));
  await site.stored(1);
  t.pass();
});

test('agents come over IPv6, too', async (t) => {
  const site = await TlsSite.start(t, { host: '::1' }, { allow: ['::1', '127.0.0.1'] });
  const agent = startAgent({
    host: '::1',
    port: site.port,
    tls: { ...shownBy(site.authority), servername: 'localhost' },
  });
  t.teardown(() => agent.destroy());
  agent.report({
    modid: 1,
    cmdid: 1,
    caller: 1,
    ts: 1,
    results: [{ ip: 1, port: 1, succ: 5, err: 0, overload: false }],
  });
  await site.stored(5);
  await agent.close();
  t.pass();
});

test('records cut anywhere are put together again', async (t) => {
  const site = await TlsSite.start(t);
  const socket = await site.bare();
  // Each byte that the agent sends is a write of its own.
  const cut = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      for (const byte of chunk) socket.write(Buffer.from([byte]));
      setImmediate(done);
    },
  });
  socket.on('data', (chunk) => cut.push(chunk));
  const agent = site.dial({ socket: cut });
  await once(agent, 'secureConnect');
  for (let round = 1; round <= 5; round++) agent.write(frameOf(round, round, 4));
  await site.stored(5);
  t.is(site.reporter.status().traffic.framesRejected.incomplete, 0);
});
