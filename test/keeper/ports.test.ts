import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { inheritedSockets } from '../../src/keeper/inherited.js';
import { until } from '../../src/testing/until.js';
import type { ReadyLine } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { BOUND_MS, connectAll, KeptSite, OneTimeAgent } from './site.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a reload moves the port of agents: those who are connected stay, new ones find the new port', async (t) => {
  const cwd = tempDir(t);
  const write = (port: number) =>
    writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ listen: { host: '127.0.0.1', port } }));
  write(await freePort());
  const site = await KeptSite.start(t, { LARS_LISTEN_PORT: '' }, cwd);
  const [old] = await connectAll(t, site.port, 1);
  await old!.send(old!.frame(1));
  const moved = await freePort();
  write(moved);
  t.like(await site.ask('/api/reload', { method: 'POST' }), { outcome: 'hand-over' });
  await site.logged('handed over; every connection without TLS goes on');
  const fresh = await OneTimeAgent.connect(t, moved, 2);
  for (const agent of [old!, fresh]) await agent.send(agent.frame(2));
  await site.storedAt([1, 2], 2);
  await t.throwsAsync(OneTimeAgent.connect(t, site.port, 3), { message: /ECONNREFUSED/ });
});

test('sockets that were bound before the start are taken by their names, or in their order', (t) => {
  const named = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'other:admin:agents' };
  t.deepEqual(
    [...inheritedSockets(named, 7)],
    [
      ['admin', 4],
      ['agents', 5],
    ],
  );
  t.deepEqual(
    [...inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)],
    [
      ['agents', 3],
      ['admin', 4],
    ],
  );
  t.is(inheritedSockets(named, 8).size, 0, 'they are of another process');
  t.is(inheritedSockets({}, 7).size, 0);
});

for (const keeper of [true, false])
  test(`a socket that systemd has bound is listened on, ${keeper ? 'with' : 'without'} a keeper`, async (t) => {
    // Agents that connect before the reporter runs wait.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cwd = tempDir(t);
    // Node has no public name for the descriptor of a server.
    const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$1" serve', process.execPath, MAIN], {
      cwd,
      env: { ...process.env, LISTEN_FDS: '1', LARS_ADMIN_PORT: '0', LARS_KEEPER_ENABLED: String(keeper) },
      stdio: ['ignore', 'pipe', 'ignore', fd],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface(child.stdio[1] as Readable), 'line')) as [string];
    // This process would take agents for itself.
    server.close();
    const ready = JSON.parse(line) as ReadyLine;
    t.is(ready.listen.port, port);
    const agent = await OneTimeAgent.connect(t, port, 1);
    await agent.send(agent.frame(1));
    const reports = async () => {
      const response = await fetch(`http://127.0.0.1:${ready.admin!.port}/api/status`);
      return ((await response.json()) as { traffic: { reports: number } }).traffic.reports;
    };
    await until(async () => (await reports()) === 1, { boundMs: BOUND_MS, what: 'the report' });
    child.kill('SIGTERM');
    t.deepEqual(await once(child, 'exit'), [0, null]);
  });
