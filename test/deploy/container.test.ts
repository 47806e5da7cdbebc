import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { describeConfig, loadConfig } from '../../src/config/index.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { pathOf, textOf } from './files.js';
import { promtool } from './promtool.js';

const DOCKERFILE = textOf('deploy/container/Dockerfile');
const COMPOSE = textOf('deploy/container/compose.yml');
const { config: DEFAULTS } = loadConfig({ env: {}, cwd: '/' });

/** Of the Dockerfile's ENV. */
const environment = () => {
  const [text = ''] = /^ENV (?:.*\\\n)*.*$/m.exec(DOCKERFILE) ?? [];
  return Object.fromEntries(
    [...text.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
};

/** The words of an instruction in its form of a list. */
const wordsOf = (instruction: string): string[] => {
  const [, list = '[]'] = new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(DOCKERFILE) ?? [];
  return JSON.parse(list) as string[];
};

test('variables of the image and of the compose file are keys of the configuration', (t) => {
  const known = describeConfig().map(({ env }) => env);
  const inImage = Object.keys(environment()).filter((name) => name.startsWith('LARS_'));
  const inCompose = [...COMPOSE.matchAll(/^ +(LARS_\w+): /gm)].map(([, name = '']) => name);
  t.true(inImage.length >= 3 && inCompose.length >= 5);
  for (const name of [...inImage, ...inCompose]) t.true(known.includes(name), name);
});

test('what the image starts, and what is mounted, is there', (t) => {
  const [, main = ''] = wordsOf('ENTRYPOINT');
  t.true(main.startsWith('/opt/lars-reporter/'));
  t.true(existsSync(pathOf(main.slice('/opt/lars-reporter/'.length))), main);
  const mounted = [...COMPOSE.matchAll(/^ +- (\.\.?\/[^:]+):/gm)].map(([, file = '']) => file);
  t.is(mounted.length, 4);
  for (const file of mounted) t.true(existsSync(path.join(pathOf('deploy/container'), file)), file);
  for (const [, file = ''] of COMPOSE.matchAll(/dockerfile: ([^\s}]+)/g))
    t.true(existsSync(pathOf(file)), file);
});

test('files that the build names are there', (t) => {
  const copied = [...DOCKERFILE.matchAll(/^COPY (?!--from)(\S+) /gm)].map(([, file = '']) => file);
  const named = [...DOCKERFILE.matchAll(/\bcp ((?:\S+ )+)\/app\//g)].flatMap(([, files = '']) =>
    files.trim().split(' '),
  );
  t.deepEqual(named, ['package-lock.json', '.npmrc']);
  for (const file of [...copied, ...named]) t.true(existsSync(pathOf(file)), file);
});

test('ports are those of the defaults, and the container is not killed before a drain is over', (t) => {
  const ports = [DEFAULTS.listen.port, DEFAULTS.admin.port];
  t.regex(DOCKERFILE, new RegExp(`^EXPOSE ${ports.join(' ')}$`, 'm'));
  for (const port of ports) t.regex(COMPOSE, new RegExp(`^ +- "(127\\.0\\.0\\.1:)?${port}:${port}"$`, 'm'));
  const [, seconds] = /stop_grace_period: (\d+)s/.exec(COMPOSE) ?? [];
  t.true(Number(seconds) * 1000 > DEFAULTS.shutdown.drainMs + 10_000);
});

test('without a token the image says that it needs one, and ends with 2', async (t) => {
  const env = { ...environment(), LARS_JOURNAL_DIR: `${tempDir(t)}/journal` };
  const { code, stderr } = await runCli(wordsOf('CMD'), { env, cwd: tempDir(t) });
  t.is(code, 2);
  t.regex(stderr, /admin\.token .*required/);
});

test('its health check passes while the reporter works, and fails when it does not answer', async (t) => {
  const dir = tempDir(t);
  const { cli, ready } = await startServe([], {
    env: {
      LARS_JOURNAL_DIR: `${dir}/journal`,
      LARS_STORE_URL: `embedded:${dir}/store`,
      ...{ LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' },
    },
  });
  t.teardown(() => cli.stop());
  const [, check = '[]'] = /HEALTHCHECK [^\n]*\\\n +CMD (\[.*\])$/m.exec(DOCKERFILE) ?? [];
  const [node, ...words] = JSON.parse(check) as string[];
  t.is(node, 'node');
  const healthAt = (port: number) =>
    new Promise<number | null>((resolve) => {
      const env = { ...process.env, LARS_ADMIN_PORT: `${port}` };
      spawn(process.execPath, words, { env, stdio: 'ignore' }).once('close', resolve);
    });
  t.is(await healthAt(ready.admin!.port), 0);
  await cli.stop();
  t.is(await healthAt(ready.admin!.port), 1);
});

test('Prometheus of the compose file scrapes both paths by the names that the alerts go by', (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'prometheus.yml');
  const text = textOf('deploy/container/prometheus.yml');
  writeFileSync(path.join(dir, 'token'), 'x');
  writeFileSync(
    file,
    text
      .replaceAll('/run/secrets/view_token', path.join(dir, 'token'))
      .replace('/etc/prometheus', pathOf('deploy/prometheus')),
  );
  const { code, said } = promtool(['check', 'config', file]);
  t.is(code, 0, said);
  const jobs = (yaml: string) => [...yaml.matchAll(/job_name: (\S+)/g)].map(([, name]) => name);
  t.deepEqual(jobs(text), jobs(textOf('deploy/prometheus/prometheus.yml')));
});
