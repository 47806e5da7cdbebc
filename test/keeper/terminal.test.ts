import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { until } from '../../src/testing/index.js';
import { isRunning, onTerminal } from '../support/pty.js';
import { tempDir } from '../support/temp.js';
import { KeptSite } from './site.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ENV = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
const BOUND = { boundMs: 30_000 };

/** A reporter that somebody has started on a terminal. */
async function serveOnTerminal(t: ExecutionContext, keeper: boolean) {
  const cwd = tempDir(t);
  const write = (config: object) =>
    writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ keeper: { enabled: keeper }, ...config }));
  write({});
  const terminal = await onTerminal(t, [MAIN, 'serve'], ENV, cwd);
  await until(() => terminal.output().includes('"ready":true'), { ...BOUND, what: 'the start' });
  return { ...terminal, write };
}

for (const keeper of [true, false])
  test(`started on a terminal, SIGHUP drains, ${keeper ? 'with' : 'without'} a keeper`, async (t) => {
    const { pid, output, write } = await serveOnTerminal(t, keeper);
    write({ log: { level: 'warn' } });
    process.kill(pid, 'SIGHUP');
    await until(() => !isRunning(pid), { ...BOUND, what: 'the end' });
    // What was said last may come after the end.
    await until(() => output().includes('stopped; every row is stored'), { ...BOUND, what: 'the last line' });
    t.notRegex(output(), /the configuration was read again/);
  });

test('a terminal that is closed drains the reporter on it', async (t) => {
  const { pid, reader } = await serveOnTerminal(t, true);
  // The last who has the other side of the terminal: the system sends SIGHUP.
  reader.kill('SIGKILL');
  await until(() => !isRunning(pid), { ...BOUND, what: 'the end' });
  t.pass();
});

test('started without a terminal, SIGHUP reads the configuration again, and the same processes go on', async (t) => {
  const cwd = tempDir(t);
  const write = (config: object) => writeFileSync(path.join(cwd, 'config.json'), JSON.stringify(config));
  write({});
  const site = await KeptSite.start(t, {}, cwd);
  const { pid } = await site.status();
  write({ shutdown: { drainMs: 1234 } });
  site.cli.child.kill('SIGHUP');
  await site.logged('the configuration was read again');
  t.is((await site.status()).pid, pid);
  t.is(site.cli.child.exitCode, null);
});
