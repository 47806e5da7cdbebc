import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { connectionLimit } from '../../src/intake/connection-limit.js';
import { until } from '../../src/testing/index.js';
import type { ReadyLine } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const BOUND = { boundMs: 60_000 };

test('descriptors are kept for what is no agent, at most half of them', (t) => {
  t.is(connectionLimit(10_000, undefined), 10_000);
  t.is(connectionLimit(10_000, 65_536), 10_000);
  t.is(connectionLimit(10_000, 1024), 624);
  t.is(connectionLimit(10_000, 200), 100);
  t.is(connectionLimit(50, 200), 50);
});

test('with few descriptors agents too many are refused, counted and logged, and the admin HTTP answers', async (t) => {
  const child = spawn('sh', ['-c', 'ulimit -n 200 && exec "$0" "$1" serve', process.execPath, MAIN], {
    cwd: tempDir(t),
    env: { ...process.env, LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { listen, admin } = JSON.parse(line) as ReadyLine;
  const ended: Socket[] = [];
  const open = Array.from({ length: 150 }, () => {
    const socket = connect({ host: '127.0.0.1', port: listen.port });
    socket.on('error', () => ended.push(socket));
    t.teardown(() => socket.destroy());
    return socket;
  });
  await until(() => ended.length === 50, { ...BOUND, what: 'the agents too many to be refused' });
  t.is(open.filter(({ destroyed }) => !destroyed).length, 100);
  const metrics = await (await fetch(`http://127.0.0.1:${admin!.port}/metrics`)).text();
  t.regex(metrics, /^lars_reporter_connections_refused_total 50$/m);
  t.regex(log, /raise the limit of open files/);
  t.regex(log, /too many connections; refusing one/);
});
