import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import test from 'ava';
import { type AgentTls, connectAgent, startAgent } from '../../src/client/index.js';
import { ReporterError } from '../../src/index.js';
import { numberedReport } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { renew, type TestAuthority } from '../../tools/shared/certificates.js';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { BOUND, shownBy, TlsSite } from '../support/tls.js';

const connect = (port: number, tls: AgentTls) => connectAgent({ host: '127.0.0.1', port, tls });

test('a reporter whose certificate is not for its name, has expired or is of nobody who is trusted gets nothing, and it is said why', async (t) => {
  const site = await TlsSite.start(t);
  const { authority, port } = site;
  const problem = async (tls: AgentTls) => {
    const error = await t.throwsAsync(connect(port, tls), {
      instanceOf: ReporterError,
      code: 'CONNECTION_FAILED',
    });
    return error.message;
  };
  const ca = readFileSync(authority.ca);
  t.regex(
    await problem({ ca, servername: 'other.example' }),
    /its certificate is not for other\.example, but for DNS:localhost/,
  );
  t.regex(await problem({}), /no authority that is trusted has signed its certificate/);
  t.regex(
    await problem({ ca, cert: 'none', key: 'none' }),
    /certificate or key of this agent cannot be used/,
  );
  const own = async (certificate: ReturnType<TestAuthority['issue']>) => {
    const other = await TlsSite.start(t, certificate);
    const error = await t.throwsAsync(connect(other.port, { ca }), { instanceOf: ReporterError });
    t.is(other.reporter.status().traffic.bytes, 0);
    return error.message;
  };
  t.regex(await own(authority.issue({ isOver: true })), /its certificate has expired/);
  t.regex(
    await own(authority.issue({ names: 'DNS:a.example' })),
    /is not for 127\.0\.0\.1, but for DNS:a\.example/,
  );
  t.regex(await own(authority.selfSigned()), /nobody but itself has signed its certificate/);
  const plain = await t.throwsAsync(connect(site.reporter.address.port, { ca }), {
    instanceOf: ReporterError,
  });
  t.regex(plain.message, /it may speak no TLS on this port/);
  t.is(site.reporter.status().traffic.reports, 0);
  const blind = await connect(port, { verify: false });
  await blind.close();
});

test('an agent that the reporter does not take is told where to look', async (t) => {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }));
  const agent = await connect(site.port, shownBy(site.authority))
    .then(
      (one) => one.close(),
      (error: Error) => Promise.reject(error),
    )
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  t.regex(agent ?? '', /or require one: its log says why/);
});

test('who answers no handshake is given up', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  await t.throwsAsync(connectAgent({ host: '127.0.0.1', port, tls: {}, connectTimeoutMs: 200 }), {
    message: /no answer within 200 ms/,
  });
});

test('an agent asks for its certificate at each connection, and goes on with a renewed one', async (t) => {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }));
  const { authority } = site;
  const certificate = authority.issue({ isOver: true });
  const problems: string[] = [];
  const agent = startAgent({
    ...{ host: '127.0.0.1', port: site.port, tls: () => shownBy(authority, certificate) },
    pauses: { firstMs: 10, lastMs: 100 },
    onEvent: (event) => {
      if (event.type === 'disconnected') problems.push(event.reason);
    },
  });
  t.teardown(() => agent.destroy());
  agent.report(numberedReport(1, 1, 1, 7));
  await until(() => site.tls.failed.untrusted > 0 && problems.length > 0, { ...BOUND, what: 'a refusal' });
  renew(certificate, authority.issue());
  await site.stored(7);
  await agent.close();
  t.regex(problems[0]!, /its log says why/);
});

test('send and simulate speak TLS', async (t) => {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }));
  const { cert, key } = site.authority.issue();
  const cwd = tempDir(t);
  const tls = ['--tls', '--tls-ca', site.authority.ca, '--tls-cert', cert, '--tls-key', key];
  const to = ['--to', `127.0.0.1:${site.port}`];
  const report = ['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80,succ=41'];
  const sent = await runCli(['send', ...to, ...tls, ...report], { cwd });
  t.is(sent.code, 0, sent.stderr);
  await site.stored(41);
  const swarm = await runCli(
    ['simulate', ...to, ...tls, '--agents', '5', '--services', '3', '--duration', '1', '--json'],
    { cwd },
  );
  t.is(swarm.code, 0, swarm.stderr);
  t.is(site.tls.handshakes, 6);
  const wrong = await runCli(['send', ...to, ...tls, '--tls-name', 'other.example', ...report], { cwd });
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /its certificate is not for other\.example/);
  const half = await runCli(['send', ...to, '--tls-cert', cert, ...report], { cwd });
  t.is(half.code, 2);
  const unset = await runCli(['send', '--tls', ...report], { cwd });
  t.is(unset.code, 2);
  t.regex(unset.stderr, /listen\.tls\.port is not set/);
});
