import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { until } from '../../src/testing/until.js';
import { startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function start(args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn('npm', args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

test('a signal to npm start reaches the reporter, which drains and ends', async (t) => {
  const dir = tempDir(t);
  const { child, said, ended } = start(['start', '--silent'], {
    LARS_JOURNAL_DIR: `${dir}/journal`,
    LARS_STORE_URL: `embedded:${dir}/store`,
    LARS_LISTEN_PORT: '0',
    LARS_ADMIN_PORT: '0',
  });
  t.teardown(() => child.kill('SIGKILL'));
  await until(() => said.stdout.includes('"ready":true'), {
    boundMs: 60_000,
    what: `the ready line: ${said.stderr}`,
  });
  child.kill('SIGTERM');
  t.is(await ended, 0);
  t.regex(said.stderr, /every row is stored/);
});

test('the line of the README that sends a report and shows its rows shows what the README shows', async (t) => {
  const readme = readFileSync(`${ROOT}/README.md`, 'utf8');
  const [, line, shown] =
    /```sh\n(npm run -s lars-reporter -- send [^\n]*--show)\n```\n\n```\n([\s\S]*?)```/.exec(readme)!;
  const dir = tempDir(t);
  const env = {
    LARS_JOURNAL_DIR: `${dir}/journal`,
    LARS_STORE_URL: `embedded:${dir}/store`,
    LARS_LISTEN_HOST: '127.0.0.1',
    LARS_LISTEN_PORT: '0',
    LARS_ADMIN_PORT: '0',
  };
  const { cli, ready } = await startServe([], { env });
  t.teardown(() => cli.stop());
  const { said, ended } = start(line!.split(' ').slice(1), {
    ...env,
    LARS_LISTEN_PORT: String(ready.listen.port),
  });
  t.is(await ended, 0, said.stderr);
  // Port and time are of this run.
  const general = (text: string) =>
    text.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS').replaceAll(/17\d{8}|18\d{8}/g, 'TIME');
  t.is(general(said.stdout), general(shown!));
});
