import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '../../src/testing/until.js';
import { tempDir } from '../support/temp.js';
import { BOUND, endOf, frameOf, shownBy, TlsSite } from '../support/tls.js';

/** `sh tools/shared/need.sh haproxy` installs it; not all paths of all users have it. */
const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`;
/** Where the balancer comes from when it tells whom it speaks for, and when not. */
const [TELLING, SILENT] = ['127.30.0.1', '127.31.0.1'];
const DENIED = '127.66.0.1';

/** Ports that nobody has now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

interface Way {
  readonly name: string;
  /** Of its `server` line. */
  readonly options: string;
  readonly isSecure: boolean;
  readonly tells: boolean;
  /** HAProxy ends TLS itself. */
  readonly ends?: boolean;
}

const WAYS: readonly Way[] = [false, true].flatMap((isSecure) =>
  [
    { name: 'without a header', options: `source ${SILENT}`, tells: false },
    { name: 'with version 1', options: `source ${TELLING} send-proxy`, tells: true },
    { name: 'with version 2', options: `source ${TELLING} send-proxy-v2`, tells: true },
  ].map((way) => ({ ...way, name: `${way.name}${isSecure ? ', TLS' : ''}`, isSecure })),
);
/** What it knows of the certificate stands in the header as well. */
const ENDS_TLS: Way = {
  ...{ name: 'that ends TLS', options: `source ${TELLING} send-proxy-v2-ssl-cn`, tells: true },
  ...{ isSecure: true, ends: true },
};

async function balanced(t: ExecutionContext) {
  const site = await TlsSite.start(t, ({ ca }) => ({ ca, clientAuth: 'required' }), {
    proxyFrom: [TELLING],
    deny: [DENIED],
  });
  const dir = tempDir(t);
  const ways = [...WAYS, ENDS_TLS];
  const ports = await freePorts(ways.length);
  const crt = path.join(dir, 'both.pem');
  writeFileSync(crt, readFileSync(site.own.cert, 'utf8') + readFileSync(site.own.key, 'utf8'));
  const ssl = `ssl crt ${crt} ca-file ${site.authority.ca} verify required`;
  const config = [
    'global\n  maxconn 200\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m',
    ...ways.flatMap(({ options, isSecure, ends }, index) => [
      `listen way${index}\n  bind 127.0.0.1:${ports[index]} ${ends ? ssl : ''}`,
      `  server one 127.0.0.1:${isSecure && !ends ? site.port : site.reporter.address.port} check inter 100ms ${options}`,
    ]),
  ];
  const file = path.join(dir, 'haproxy.cfg');
  writeFileSync(file, `${config.join('\n')}\n`);
  const haproxy: ChildProcess = spawn('haproxy', ['-db', '-f', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH },
  });
  let said = '';
  haproxy.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  t.teardown(async () => {
    haproxy.kill('SIGKILL');
    if (haproxy.exitCode === null && haproxy.signalCode === null) await once(haproxy, 'exit');
  });
  const isUp = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  await until(
    async () => {
      if (haproxy.exitCode !== null) t.fail(said);
      return (await Promise.all(ports.map(isUp))).every(Boolean);
    },
    { ...BOUND, what: 'HAProxy to listen' },
  );
  return { site, ports, said: () => said };
}

test('behind HAProxy agents are who its PROXY header says, with TLS and without; its health checks are no news', async (t) => {
  const { site, ports, said } = await balanced(t);
  const shown = shownBy(site.authority, site.authority.issue()) as object;
  const dial = async ({ isSecure }: Way, port: number, localAddress: string) =>
    isSecure ? site.secured({ port, localAddress, ...shown }) : site.bare({ port, localAddress });
  for (const [index, way] of [...WAYS, ENDS_TLS].entries()) {
    const socket = await dial(way, ports[index]!, '127.0.8.1');
    socket.write(frameOf(index, index + 1));
    await site.stored(index + 1);
  }
  t.deepEqual(site.warnings, [], said());
  // Whom it speaks for counts, where it tells.
  const ways = [...WAYS, ENDS_TLS];
  for (const [index, way] of ways.entries()) {
    if (!way.tells) continue;
    const before = site.reporter.status().traffic.denied.address;
    void dial(way, ports[index]!, DENIED).then(
      (socket) => endOf(socket),
      () => undefined,
    );
    await until(() => site.reporter.status().traffic.denied.address > before, { ...BOUND, what: way.name });
  }
  t.true(site.warnings.every(({ peer, kind }) => peer === DENIED && kind === 'address'));
  const { traffic } = site.reporter.status();
  t.deepEqual(traffic.denied, {
    ...{ address: ways.filter(({ tells }) => tells).length, 'address-full': 0 },
    ...{ 'proxy-header': 0, 'rules-changed': 0 },
  });
  t.is(
    Object.values(traffic.tls.failed).reduce((sum, count) => sum + count, 0),
    0,
  );
  t.is(traffic.tls.handshakes, 3);
});
