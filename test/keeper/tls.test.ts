import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import { startAgent } from '../../src/client/index.js';
import { numberedReport, until } from '../../src/testing/index.js';
import { renew, TestAuthority, type TestCertificate } from '../../tools/shared/certificates.js';
import { tempDir } from '../support/temp.js';
import { shownBy } from '../support/tls.js';
import { BOUND_MS, KeptSite, OneTimeAgent } from './site.js';

const BOUND = { boundMs: BOUND_MS };
const report = (caller: number, round: number) => numberedReport(caller, caller, 3, round);

async function secureSite(t: ExecutionContext, keys: object = {}) {
  const cwd = tempDir(t);
  const authority = new TestAuthority(cwd);
  const own = authority.issue();
  const tls = { port: 0, ...own, ca: authority.ca, clientAuth: 'required', ...keys };
  const write = (section: object | undefined) =>
    writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ listen: section ? { tls: section } : {} }));
  write(tls);
  const site = await KeptSite.start(t, {}, cwd);
  const reload = () => site.ask<{ outcome: string; error?: string }>('/api/reload', { method: 'POST' });
  const dial = (certificate: TestCertificate, port = site.tlsPort!): TLSSocket => {
    const socket = connect({
      ...{ host: '127.0.0.1', port },
      ...(shownBy(authority, certificate) as object),
    });
    socket.on('error', () => {});
    t.teardown(() => void socket.destroy());
    return socket;
  };
  const secured = async (certificate = authority.issue()) => {
    const socket = dial(certificate);
    await once(socket, 'secureConnect');
    return socket;
  };
  const agentOf = (certificate = authority.issue()) => {
    const agent = startAgent({
      ...{ host: '127.0.0.1', port: site.tlsPort!, tls: shownBy(authority, certificate) },
      pauses: { firstMs: 10, lastMs: 200 },
    });
    t.teardown(() => agent.destroy());
    return agent;
  };
  return { site, authority, own, tls, write, reload, dial, secured, agentOf };
}

test('a hand-over ends connections with TLS in order, when all that their agents sent is read; others go on', async (t) => {
  const { site, secured, agentOf } = await secureSite(t);
  const plain = await OneTimeAgent.connect(t, site.port, 1);
  await plain.send(plain.frame(1));
  const agent = agentOf();
  agent.report(report(2, 1));
  // It sends on until it sees the end.
  const socket = await secured();
  let [round, hasEnded, hasFailed] = [0, false, false];
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.on('error', () => {
    hasFailed = true;
  });
  const sending = (async () => {
    while (!hasEnded && !socket.destroyed) {
      if (!socket.write(encodeReportFrame(report(3, ++round))) && !hasEnded)
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      await pause(5);
    }
  })();
  await site.storedAt([1, 2], 1);
  await until(() => round > 20, { ...BOUND, what: 'it to send' });
  const status = await site.handOver();
  await sending;
  t.true(hasEnded);
  t.false(hasFailed);
  await site.storedAt([3], round);
  agent.report(report(2, 2));
  await plain.send(plain.frame(2));
  await site.storedAt([1, 2], 2);
  t.is(plain.end, undefined);
  t.is(agent.counts.reconnects, 1);
  t.is(status.traffic.tls.lost, 0);
  await site.logged('handed over; every connection without TLS goes on');
  t.true((await site.ledger()).balanced);
});

test('who connects during a hand-over, or waits for a handshake, is served by the new process', async (t) => {
  const { site, authority, dial } = await secureSite(t, { maxHandshakes: 2 });
  const certificate = authority.issue();
  const { pid } = await site.status();
  site.cli.child.kill('SIGUSR2');
  const sockets: TLSSocket[] = [];
  for (let next = false; !next; ) {
    sockets.push(dial(certificate));
    await new Promise((resolve) => setTimeout(resolve, 5));
    next = await site.status().then(
      (status) => status.pid !== pid && status.state === 'running',
      () => false,
    );
  }
  const isSettled = (socket: TLSSocket) => socket.authorized || socket.destroyed;
  await until(() => sockets.every(isSettled), { ...BOUND, what: 'all to be served' });
  const last = sockets.at(-1)!;
  last.write(encodeReportFrame(report(7, 7)));
  await site.storedAt([7], 7);
  t.true(sockets.length > 2);
  t.is((await site.status()).traffic.tls.lost, 0);
});

test('a kill of the process that reads ends connections with TLS; the port stays, and agents come back with their newest reports', async (t) => {
  const { site, secured, agentOf } = await secureSite(t);
  const plain = await OneTimeAgent.connect(t, site.port, 1);
  await plain.send(plain.frame(1));
  const agent = agentOf();
  agent.report(report(2, 1));
  const socket = await secured();
  let failed = '';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failed = error.code ?? error.message;
  });
  await site.storedAt([1, 2], 1);
  const status = await site.crash();
  await until(() => socket.destroyed, { ...BOUND, what: 'its end' });
  t.is(failed, 'ECONNRESET', 'an orderly end would look as if everything had arrived');
  agent.report(report(2, 2));
  await plain.send(plain.frame(2));
  await site.storedAt([1, 2], 2);
  t.is(plain.end, undefined);
  t.is(agent.counts.reconnects, 1);
  await until(async () => (await site.status()).traffic.tls.lost === 2, {
    ...BOUND,
    what: 'both to be counted',
  });
  t.not(status.pid, undefined);
});

test('new certificates, authorities and names are taken in place; who may not send any more is closed, the others stay', async (t) => {
  const { site, authority, own, tls, write, reload, secured } = await secureSite(t);
  const [stays, goes] = [
    authority.issue({ names: 'DNS:stays.example' }),
    authority.issue({ names: 'DNS:goes.example' }),
  ];
  const [staying, going] = [await secured(stays), await secured(goes)];
  const serial = async () => {
    const socket = await secured(stays);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await serial();
  const { pid } = await site.status();
  renew(own, authority.issue());
  t.like(await reload(), { outcome: 'in-place' });
  t.not(await serial(), before);
  write({ ...tls, allowNames: ['stays.example'] });
  t.like(await reload(), { outcome: 'in-place' });
  await until(() => going.destroyed, { ...BOUND, what: 'it to be closed' });
  staying.write(encodeReportFrame(report(1, 1)));
  await site.storedAt([1], 1);

  const other = new TestAuthority(tempDir(t));
  write({ ...tls, ca: other.ca });
  t.like(await reload(), { outcome: 'in-place' });
  const refused = await secured(stays);
  await until(() => refused.destroyed, {
    ...BOUND,
    what: 'a certificate of the old authority to be refused',
  });
  staying.write(encodeReportFrame(report(1, 2)));
  await site.storedAt([1], 2);

  const then = (await site.status()).traffic.tls.handshakes;
  writeFileSync(own.cert, 'no certificate');
  t.like(await reload(), { outcome: 'invalid' });
  // What was read before is still shown.
  await secured(other.issue());
  const { traffic, pid: pidThen } = await until(
    async () => {
      const status = await site.status();
      return status.traffic.tls.handshakes > then && status;
    },
    { ...BOUND, what: 'another handshake' },
  );
  t.is(pidThen, pid);
  t.is(traffic.denied['rules-changed'], 1);
});

test('a reload amid a flood of handshakes loses no connection', async (t) => {
  const { site, authority, own, reload, secured, dial } = await secureSite(t, { maxHandshakes: 4 });
  const open = await Promise.all(Array.from({ length: 10 }, () => secured()));
  const certificate = authority.issue();
  const coming: TLSSocket[] = [];
  const flood = setInterval(() => coming.push(dial(certificate)), 3);
  t.teardown(() => clearInterval(flood));
  for (let times = 0; times < 5; times++) {
    renew(own, authority.issue());
    t.like(await reload(), { outcome: 'in-place' });
  }
  clearInterval(flood);
  await until(() => coming.every(({ authorized }) => authorized), { ...BOUND, what: 'all to be let in' });
  await until(async () => (await site.status()).traffic.tls.connections === 10 + coming.length, {
    ...BOUND,
    what: 'all connections',
  });
  t.true(open.every((socket) => !socket.destroyed));
  t.true(coming.every((socket) => !socket.destroyed));
});

test('the port with TLS comes and goes with a reload, by a hand-over', async (t) => {
  const { site, authority, tls, write, reload, secured, dial } = await secureSite(t);
  const plain = await OneTimeAgent.connect(t, site.port, 1);
  await secured();
  let { pid } = await site.status();
  write(undefined);
  t.like(await reload(), { outcome: 'hand-over' });
  ({ pid } = await site.successor(pid));
  const refused = dial(authority.issue());
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
  write({ ...tls, port: site.tlsPort! });
  t.like(await reload(), { outcome: 'hand-over' });
  await site.successor(pid);
  const socket = await secured();
  socket.write(encodeReportFrame(report(2, 2)));
  await plain.send(plain.frame(2));
  await site.storedAt([1, 2], 2);
  t.is(plain.end, undefined);
  t.truthy(readFileSync(authority.ca));
});

test('a drain ends connections with TLS in order', async (t) => {
  const { site, secured } = await secureSite(t);
  const socket = await secured();
  let hasEnded = false;
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.resume();
  socket.write(encodeReportFrame(report(1, 1)));
  await site.storedAt([1], 1);
  t.is((await site.cli.stop('SIGTERM')).code, 0);
  await until(() => socket.destroyed, { ...BOUND, what: 'its end' });
  t.true(hasEnded);
});
