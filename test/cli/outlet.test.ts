import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { HostileAgent } from '../../src/testing/hostile-agent.js';
import { until } from '../../src/testing/until.js';
import { CliProcess } from '../../tools/shared/process.js';
import { isRunning, onTerminal } from '../support/pty.js';
import { tempDir } from '../support/temp.js';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const MAIN = here('../../src/cli/main.js');
const CHILD = here('log-child.js');
const LINES = 30_000;

/** Lines that came and those that were counted as discarded. */
function accounted(output: string): number {
  const came = output.split('one of many lines').length - 1;
  const dropped = /"lines":(\d+)|lines: (\d+)/.exec(output);
  return came + Number(dropped?.[1] ?? dropped?.[2] ?? 0);
}

test('a terminal that nobody reads stops neither the service nor its end', async (t) => {
  const cwd = tempDir(t);
  const env = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
  const { reader, pid, output } = await onTerminal(t, [MAIN, 'serve'], env, cwd);
  const ready = await until(() => /\{"ready":true.*\}\}/.exec(output())?.[0], {
    boundMs: 30_000,
    what: 'the start',
  });
  const { listen, admin } = JSON.parse(ready) as Record<'listen' | 'admin', { host: string; port: number }>;

  reader.kill('SIGSTOP');
  const before = output().length;
  // Each address in trouble is a line: more of them than a terminal takes.
  for (let peer = 0; peer < 900; peer += 100) {
    const agents = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        HostileAgent.connect({ ...listen, localAddress: `127.9.${peer / 100}.${index + 1}` }),
      ),
    );
    await Promise.all(agents.map((agent) => agent.sendBytes(Buffer.alloc(8, 0xff))));
    for (const agent of agents) agent.destroy();
  }
  const metrics = async () => {
    const signal = AbortSignal.timeout(5000);
    return (await fetch(`http://127.0.0.1:${admin.port}/metrics`, { signal })).text();
  };
  await until(async () => /frames_rejected_total\{reason="length"\} 900/.test(await metrics()), {
    boundMs: 30_000,
    what: 'every agent to be refused',
  });
  process.kill(pid, 'SIGTERM');
  await until(() => !isRunning(pid), { boundMs: 30_000, what: 'the end, though nobody reads what is said' });
  t.is(output().length, before);
});

test('log lines that a terminal does not take are discarded, and counted when it is read again', async (t) => {
  const cwd = tempDir(t);
  const file = path.join(cwd, 'through');
  const { reader, pid, output } = await onTerminal(t, [CHILD, file, String(LINES)], {}, cwd);
  reader.kill('SIGSTOP');
  await until(() => existsSync(file), { boundMs: 60_000, what: 'the process to get through its lines' });
  reader.kill('SIGCONT');
  await until(() => output().includes('were discarded'), { boundMs: 60_000, what: 'the count' });
  reader.stdin?.write('\n');
  await until(() => !isRunning(pid), { boundMs: 30_000, what: 'the end' });
  await until(() => accounted(output()) >= LINES, { boundMs: 10_000, what: 'the last lines' });
  t.is(accounted(output()), LINES);
});

test('log lines that a pipe does not take are discarded, and counted when it is read again', async (t) => {
  const file = path.join(tempDir(t), 'through');
  const child = spawn(process.execPath, [CHILD, file, String(LINES)], { stdio: ['pipe', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  await until(() => existsSync(file), { boundMs: 60_000, what: 'the process to get through its lines' });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => output.includes('were discarded'), { boundMs: 60_000, what: 'the count' });
  child.stdin.write('\n');
  await until(() => child.exitCode !== null && accounted(output) >= LINES, {
    boundMs: 30_000,
    what: 'the end',
  });
  t.is(accounted(output), LINES);
});

for (const level of ['fatal', 'silent'])
  test(`at log.level ${level}, a start that fails says why`, async (t) => {
    const cwd = tempDir(t);
    const { exited } = new CliProcess(['serve'], {
      cwd,
      env: { LARS_LOG_LEVEL: level, LARS_ADMIN_PORT: '0', LARS_JOURNAL_DIR: '/proc/none' },
    });
    const { code, stdout, stderr } = await exited;
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /^error: .*\/proc\/none.*\n$/);
  });
