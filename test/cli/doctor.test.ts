import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { judgeClock } from '../../src/cli/doctor/look-at-clock.js';
import { judgeFolder, judgeHistory } from '../../src/cli/doctor/look-at-folders.js';
import { judgeLimits } from '../../src/cli/doctor/look-at-limits.js';
import { judgePort } from '../../src/cli/doctor/look-at-ports.js';
import type { Finding } from '../../src/model/finding.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

interface Examined {
  readonly code: number | null;
  readonly worst: string;
  readonly findings: readonly (Finding & { readonly area: string })[];
  /** Codes of findings that are not `ok`. */
  readonly codes: readonly string[];
}

async function doctor(
  t: ExecutionContext,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
  cwd = tempDir(t),
): Promise<Examined> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], { env, cwd });
  t.is(stderr, '');
  const { worst, findings } = JSON.parse(stdout) as Omit<Examined, 'code' | 'codes'>;
  for (const { code: name, severity, advice } of findings)
    t.is(advice === undefined, severity === 'ok', `${name} says what to do`);
  const codes = findings.filter(({ severity }) => severity !== 'ok').map((finding) => finding.code);
  return { code, worst, findings, codes };
}

const site = (dir: string): NodeJS.ProcessEnv => ({
  LARS_JOURNAL_DIR: path.join(dir, 'journal'),
  LARS_STORE_URL: `embedded:${path.join(dir, 'store')}`,
  LARS_LISTEN_HOST: '127.0.0.1',
  LARS_LISTEN_MAX_CONNECTIONS: '100',
});

/** What machines that run tests have or lack. */
const OF_THE_MACHINE = /^(clock-|folder-in-|folder-copy|short-backlog|little-memory|disk-small)/;

test('of a site before its first start, nothing is wrong, nothing is made, and the exit code is 0', async (t) => {
  const dir = tempDir(t);
  const env = { ...site(dir), LARS_LISTEN_PORT: '61779', LARS_ADMIN_PORT: '61780' };
  const { codes, findings } = await doctor(t, env);
  t.deepEqual(
    codes.filter((code) => !OF_THE_MACHINE.test(code)),
    ['reporter-down'],
  );
  t.false(existsSync(path.join(dir, 'journal')));
  t.false(existsSync(path.join(dir, 'store')));
  const areas = [...new Set(findings.map(({ area }) => area))];
  t.deepEqual(areas, [
    'configuration',
    'reporter',
    'ports',
    'limits',
    'folders',
    'journal',
    'store',
    'clock',
  ]);
});

test('a reporter that runs is asked: what it says of itself, and its limits; the journal is left to it', async (t) => {
  const dir = tempDir(t);
  const env = { ...site(dir), LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
  const { cli, ready } = await startServe([], { env });
  t.teardown(() => cli.stop());
  const asked = { ...env, LARS_LISTEN_PORT: `${ready.listen.port}`, LARS_ADMIN_PORT: `${ready.admin!.port}` };
  const { findings, codes } = await doctor(t, asked);
  t.deepEqual(
    codes.filter((code) => !OF_THE_MACHINE.test(code)),
    [],
  );
  const texts = findings.map(({ text }) => text).join('\n');
  t.regex(texts, /process \d+, version .*, ok, up/);
  t.regex(texts, /the reporter may open \d+ files/);
  t.regex(texts, /it is in use, as it should be/);
  t.regex(texts, /listen: 127\.0\.0\.1:\d+ is served/);

  const elsewhere = await doctor(t, { ...asked, LARS_ADMIN_PORT: '1' });
  t.true(elsewhere.codes.includes('reporter-silent'), 'it runs, and answers elsewhere');
  t.false(elsewhere.codes.includes('reporter-down'));
});

test('a configuration that is unusable is critical, each problem by itself, and the exit code is 2', async (t) => {
  const { code, worst, codes } = await doctor(t, { LARS_LISTEN_PORT: 'x', LARS_WRITERS_COUNT: '0' });
  t.is(code, 2);
  t.is(worst, 'critical');
  t.deepEqual(
    codes.filter((name) => !OF_THE_MACHINE.test(name)),
    ['configuration-unusable', 'configuration-unusable'],
  );
});

test('a file with secrets that everybody may read is a warning, and the secrets are in no output', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'config.json');
  const secret = 'not-to-be-seen';
  writeFileSync(
    file,
    JSON.stringify({ store: { url: `mysql://lars:${secret}@127.0.0.1:1/lars` }, admin: { token: secret } }),
  );
  chmodSync(file, 0o644);
  const open = await doctor(t, { LARS_JOURNAL_DIR: path.join(dir, 'journal') }, ['--config', file]);
  // A temporary folder may be in memory.
  t.is(open.code, open.worst === 'critical' ? 2 : 1);
  t.true(open.codes.includes('secrets-readable'));
  t.true(open.codes.includes('store-away'));
  t.false(JSON.stringify(open.findings).includes(secret));
  chmodSync(file, 0o640);
  t.false((await doctor(t, {}, ['--config', file])).codes.includes('secrets-readable'));
});

test('a port that somebody else has is critical', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const env = { ...site(tempDir(t)), LARS_LISTEN_PORT: `${port}`, LARS_ADMIN_PORT: '61782' };
  const { code, codes } = await doctor(t, env);
  t.is(code, 2);
  t.true(codes.includes('port-taken'));
});

test('a journal of a stopped reporter is looked into: rows that wait, another number of writers, damage', async (t) => {
  const dir = tempDir(t);
  const env = { ...site(dir), LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
  const { cli } = await startServe([], { env: { ...env, LARS_WRITERS_COUNT: '2' } });
  await cli.stop();
  const fine = await doctor(t, { ...env, LARS_WRITERS_COUNT: '2' });
  t.regex(fine.findings.map(({ text }) => text).join('\n'), /format \d+, 2 partitions, .* 0 rows pending/);
  t.true((await doctor(t, { ...env, LARS_WRITERS_COUNT: '3' })).codes.includes('partitions-change'));

  writeFileSync(path.join(dir, 'journal', 'data.mdb'), 'something else altogether, and not short');
  const broken = await doctor(t, env);
  t.is(broken.code, 2);
  t.true(broken.codes.includes('journal-unusable'));
});

test('a folder in memory, which a reboot empties, is critical', async (t) => {
  // A tmpfs on every Linux.
  const dir = mkdtempSync('/dev/shm/lars-test-');
  t.teardown(() => rmSync(dir, { recursive: true }));
  mkdirSync(path.join(dir, 'journal'));
  const { code, codes } = await doctor(t, {
    ...site(dir),
    LARS_LISTEN_PORT: '61783',
    LARS_ADMIN_PORT: '61784',
  });
  t.is(code, 2);
  t.true(codes.includes('folder-in-memory'));
});

test('for people, what matters most comes first, with what to do below it', async (t) => {
  const env = { ...site(tempDir(t)), LARS_LISTEN_HOST: '203.0.113.7', LARS_LISTEN_PORT: '61785' };
  const { code, stdout } = await runCli(['doctor'], { env, cwd: tempDir(t) });
  t.is(code, 2);
  const [first, second] = stdout.split('\n');
  t.regex(first!, /^critical {2}ports +listen: no interface .*203\.0\.113\.7:61785 \[address-not-ours\]$/);
  t.regex(second!, /^ +→ name one of its own/);
  t.regex(stdout, /\n\n\d critical.*\n$/);
});

/** What is undefined, too. */
const shown = (change: object) =>
  JSON.stringify(change, (_, value: unknown) => (value === undefined ? 'unknown' : value));

const codesOf = (findings: Iterable<Finding>) =>
  [...findings]
    .filter(({ severity }) => severity !== 'ok')
    .map(({ code, severity }) => `${severity} ${code}`);

const FOLDER = {
  ...{ key: 'journal.dir', dir: '/x/journal', existing: '/x/journal', isFolder: true, isWritable: true },
  ...{ fileSystem: 0xef53, freeBytes: 50 * 2 ** 30, freeFiles: 1e6 },
};

for (const [change, expected] of [
  [{}, []],
  [{ isFolder: false }, ['critical no-folder']],
  [{ isWritable: false }, ['critical folder-not-writable']],
  [{ fileSystem: 0x01021994 }, ['critical folder-in-memory']],
  [{ fileSystem: 0x794c7630 }, ['warning folder-in-container']],
  [{ fileSystem: 0x6969 }, ['critical folder-on-network']],
  // As some systems give it, below zero.
  [{ fileSystem: 0xff534d42 | 0 }, ['critical folder-on-network']],
  [{ fileSystem: 0x2fc12fc1 }, ['notice folder-copy-on-write']],
  [{ freeBytes: 1e6 }, ['critical disk-full']],
  [{ freeFiles: 3 }, ['critical disk-full']],
  [{ freeBytes: 5e8 }, ['warning disk-small']],
] as const)
  test(`a folder with ${shown(change)}: ${expected.join(', ') || 'nothing'}`, (t) =>
    t.deepEqual(codesOf(judgeFolder({ ...FOLDER, ...change })), [...expected]));

const PORT = {
  ...{ key: 'listen', address: { host: '0.0.0.0', port: 7779 }, isTaken: false, isRunning: false },
  ...{ isOurs: true, firstFreePort: 1024, isRoot: false },
};

for (const [change, expected] of [
  [{}, []],
  [{ isTaken: true, isRunning: true }, []],
  [{ isTaken: true }, ['critical port-taken']],
  [{ isRunning: true }, ['warning port-not-served']],
  [{ isOurs: false }, ['critical address-not-ours']],
  [{ isOurs: undefined }, []],
  [{ address: { host: '::', port: 80 } }, ['warning port-of-root']],
  [{ address: { host: '::', port: 80 }, isRoot: true }, []],
  [{ address: { host: '::', port: 0 }, isTaken: true }, []],
] as const)
  test(`a port with ${shown(change)}: ${expected.join(', ') || 'nothing'}`, (t) =>
    t.deepEqual(codesOf(judgePort({ ...PORT, ...change })), [...expected]));

const LIMITS = { openFiles: 65_536, isReporters: true, memoryBytes: 4 * 2 ** 30, cores: 2, backlog: 4096 };

for (const [change, expected] of [
  [{}, []],
  [{ openFiles: undefined, backlog: undefined }, []],
  [{ openFiles: 1024 }, ['warning few-open-files']],
  [{ memoryBytes: 2 ** 28 }, ['notice little-memory']],
  [{ backlog: 128 }, ['notice short-backlog']],
] as const)
  test(`limits with ${shown(change)}: ${expected.join(', ') || 'nothing'}`, (t) =>
    t.deepEqual(codesOf(judgeLimits({ ...LIMITS, ...change }, 10_000)), [...expected]));

test('a clock that nobody sets is a warning; where nobody tells, it is said', (t) => {
  t.is(judgeClock(true).severity, 'ok');
  t.is(judgeClock(false).severity, 'warning');
  t.is(judgeClock(undefined).severity, 'notice');
});

test('a folder of the history that is in memory, full or not writable is a warning, and never critical', (t) => {
  const facts = {
    ...{ key: 'history.dir', dir: '/x', existing: '/x', isFolder: true, isWritable: true },
    ...{ fileSystem: 0xef53, freeBytes: 2 ** 40, freeFiles: 1e6 },
  };
  const codes = (change: object, maxBytes = 2 ** 30) =>
    [...judgeHistory({ ...facts, ...change }, maxBytes)]
      .filter(({ severity }) => severity !== 'ok')
      .map(({ severity, code }) => `${severity} ${code}`);
  t.deepEqual(codes({}), []);
  t.deepEqual(codes({ fileSystem: 0x01021994 }), ['warning folder-in-memory']);
  t.deepEqual(codes({ isWritable: false }), ['warning folder-not-writable']);
  t.deepEqual(codes({ freeBytes: 0 }, 2 ** 25), ['warning disk-full', 'notice history-larger-than-disk']);
  t.deepEqual(codes({ freeBytes: 2 ** 31 }, 2 ** 32), ['notice history-larger-than-disk']);
});

test('a file in the place of a folder, or above it, is a finding, and all else is looked at', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'file');
  writeFileSync(file, '');
  const env = { ...site(dir), LARS_LISTEN_PORT: '61779', LARS_ADMIN_PORT: '61780' };
  for (const journal of [file, path.join(file, 'journal')]) {
    const { code, codes, findings } = await doctor(t, { ...env, LARS_JOURNAL_DIR: journal });
    t.is(code, 2);
    t.true(codes.includes('no-folder'));
    t.true(findings.some(({ area }) => area === 'clock'));
  }
});

test('the folder of the history is looked at, unless there is to be none', async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, 'history'), '');
  const env = { ...site(dir), LARS_LISTEN_PORT: '61779', LARS_ADMIN_PORT: '61780' };
  const { findings, codes } = await doctor(t, env);
  t.true(codes.includes('no-folder'));
  t.true(findings.some(({ text }) => text.startsWith('history.dir: ')));
  t.false((await doctor(t, { ...env, LARS_HISTORY_ENABLED: 'false' })).codes.includes('no-folder'));
});

/** Node as it is where the packages of OpenTelemetry are not installed. */
const WITHOUT_OPENTELEMETRY = (() => {
  const hooks = `export async function resolve(name, context, next) {
    if (!name.startsWith('@opentelemetry/')) return next(name, context);
    throw new Error("Cannot find package '" + name + "'");
  }`;
  const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  return `--import=${url(`import { register } from 'node:module'; register(${JSON.stringify(url(hooks))});`)}`;
})();

test('packages of OpenTelemetry are critical where they are asked for and missing, and what to install is told', async (t) => {
  const env = { ...site(tempDir(t)), LARS_LISTEN_PORT: '61779', LARS_ADMIN_PORT: '61780' };
  const asked = { ...env, LARS_TELEMETRY_OTLP_URL: 'http://127.0.0.1:4318' };
  t.false((await doctor(t, asked)).codes.includes('telemetry-packages'), 'they are there');
  const { code, findings } = await doctor(t, { ...asked, NODE_OPTIONS: WITHOUT_OPENTELEMETRY });
  t.is(code, 2);
  t.like(
    findings.find((finding) => finding.code === 'telemetry-packages'),
    { severity: 'critical', area: 'configuration' },
  );
  t.regex(JSON.stringify(findings), /npm install @opentelemetry\/api@/);
  const unasked = await doctor(t, { ...env, NODE_OPTIONS: WITHOUT_OPENTELEMETRY });
  t.false(unasked.codes.includes('telemetry-packages'), 'and nobody asked for them');
});
