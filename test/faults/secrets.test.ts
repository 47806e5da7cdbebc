import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ReporterStatus } from '../../src/index.js';
import { migrate } from '../../src/store/migration.js';
import { until } from '../../src/testing/index.js';
import { type DatabaseServer, startServer } from '../../tools/shared/database-server.js';
import { type CliResult, runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 30_000 };

/** No two have a part in common, and none stands anywhere by chance. */
const PASSWORD = 'zebra@crossing/quilt%7';
const WRONG_PASSWORD = 'walrus:umbrella#kite';
const TOKEN = 'marmalade-skyline-tangerine';
const VIEW_TOKEN = 'periscope-hazelnut-lantern';
const WRONG_TOKEN = 'guillotine-parasol-drumstick';
const SECRETS = [PASSWORD, WRONG_PASSWORD, TOKEN, VIEW_TOKEN, WRONG_TOKEN];

/** As text, in an address, as a header and as bytes; and words of it, where a message quotes a part. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    ...[secret, encodeURIComponent(secret), bytes.toString('base64'), bytes.toString('hex')],
    ...secret.split(/[^a-z]+/).filter((word) => word.length > 4),
  ];
}

let db: DatabaseServer;
test.before(async () => {
  db = await startServer();
  await db.query('CREATE DATABASE lars');
  await db.query(`CREATE USER planted@'%' IDENTIFIED BY '${PASSWORD}'`);
  await db.query("GRANT ALL ON lars.* TO planted@'%'");
  await migrate(db.url('lars'));
});
test.after.always(() => db?.destroy());

/** Everything that programs have said or left behind, by where. */
class Heard {
  readonly #said: [where: string, text: string][] = [];

  add(where: string, text: string): void {
    this.#said.push([where, text]);
  }

  addResult(where: string, { stdout, stderr }: CliResult): void {
    this.add(`${where}, stdout`, stdout);
    this.add(`${where}, stderr`, stderr);
  }

  /** Files below a folder, but for those that a test has put there. */
  addFiles(dir: string, planted: ReadonlySet<string>): void {
    for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(dir, name);
      if (planted.has(file)) continue;
      try {
        this.add(file, readFileSync(file, 'latin1'));
      } catch {
        // A folder.
      }
    }
  }

  /** Where secrets were heard, and which. */
  get leaks(): string[] {
    return this.#said.flatMap(([where, text]) =>
      SECRETS.flatMap(spellings)
        .filter((spelling) => text.includes(spelling))
        .map((spelling) => `${spelling} in ${where}: …${around(text, spelling)}…`),
    );
  }

  get bytes(): number {
    return this.#said.reduce((sum, [, text]) => sum + text.length, 0);
  }
}

function around(text: string, spelling: string): string {
  const at = text.indexOf(spelling);
  return text.slice(Math.max(0, at - 80), at + 80);
}

const urlWith = (password: string) =>
  `mysql://planted:${encodeURIComponent(password)}@127.0.0.1:${db.port}/lars`;
const bareUrl = () => `mysql://planted@127.0.0.1:${db.port}/lars`;

interface Settings {
  readonly file: object;
  readonly env: NodeJS.ProcessEnv;
  /** Files of secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Where a site keeps its secrets. */
const PLACES: Readonly<Record<string, (password: string) => Settings>> = {
  'the configuration': (password) => ({
    file: { store: { url: urlWith(password) }, admin: { token: TOKEN, viewToken: VIEW_TOKEN } },
    env: {},
    secrets: {},
  }),
  'the environment': (password) => ({
    file: {},
    env: { LARS_STORE_URL: urlWith(password), LARS_ADMIN_TOKEN: TOKEN, LARS_ADMIN_VIEW_TOKEN: VIEW_TOKEN },
    secrets: {},
  }),
  files: (password) => ({
    file: { store: { url: bareUrl(), passwordFile: 'password' }, admin: { viewTokenFile: 'view' } },
    env: { LARS_ADMIN_TOKEN_FILE: 'token' },
    secrets: { password, token: TOKEN, view: VIEW_TOKEN },
  }),
};

/** Puts the settings into a folder; `more`: further keys of the file. */
function plant(cwd: string, { file, secrets }: Settings, planted: Set<string>, more: object = {}): void {
  const write = (name: string, content: string) => {
    planted.add(path.join(cwd, name));
    writeFileSync(path.join(cwd, name), content, { mode: 0o600 });
  };
  write('config.json', JSON.stringify({ ...file, ...more }));
  for (const [name, secret] of Object.entries(secrets)) write(name, `${secret}\n`);
}

function commandLines(pids: readonly number[]): string {
  return pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).join('\n');
}

/** Asks everything that there is, with a right token, a wrong one and none. */
async function askAll(heard: Heard, port: number): Promise<void> {
  for (const token of [TOKEN, VIEW_TOKEN, WRONG_TOKEN, undefined])
    for (const question of QUESTIONS) {
      const [method = '', place = ''] = question.split(' ');
      const isSession = place === '/api/session' && method === 'POST';
      const response = await fetch(`http://127.0.0.1:${port}${place}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(isSession ? { 'content-type': 'application/json' } : {}),
        },
        ...(isSession ? { body: JSON.stringify({ token }) } : {}),
        signal: AbortSignal.timeout(BOUND.boundMs),
      });
      heard.add(`${question}, headers`, JSON.stringify([...response.headers]));
      heard.add(question, await response.text());
    }
}
const QUESTIONS = [
  ...['GET /', 'GET /healthz', 'GET /readyz', 'GET /metrics', 'GET /metrics/services', 'GET /api/status'],
  ...['GET /api/ledger', 'GET /api/reporter', 'GET /api/services', 'GET /api/rows', 'GET /api/reload'],
  ...[
    'GET /api/dead-letters',
    'GET /api/session',
    'POST /api/session',
    'GET /api/no-such',
    'POST /api/reload',
  ],
];

async function statusOf(port: number): Promise<ReporterStatus> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://127.0.0.1:${port}/api/status`, { headers });
  return (await response.json()) as ReporterStatus;
}

for (const [place, settingsWith] of Object.entries(PLACES))
  test.serial(`no secret of ${place} is in anything that a site writes, says or shows`, async (t) => {
    const cwd = tempDir(t);
    const heard = new Heard();
    const planted = new Set<string>();
    const settings = settingsWith(PASSWORD);
    const env = {
      ...{
        LARS_LISTEN_HOST: '127.0.0.1',
        LARS_LISTEN_PORT: '0',
        LARS_ADMIN_PORT: '0',
        LARS_LOG_LEVEL: 'trace',
      },
      ...settings.env,
    };
    const run = async (code: number, ...args: string[]) => {
      const result = await runCli(args, { cwd, env });
      heard.addResult(args.join(' '), result);
      t.is(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    };
    plant(cwd, settings, planted);
    await run(0, 'check', '--store');
    await run(0, 'migrate');

    const { cli, ready } = await startServe([], { cwd, env });
    t.teardown(async () => void (await cli.stop('SIGKILL')));
    const { port } = ready.admin!;
    const admin = `127.0.0.1:${port}`;
    const to = ['--to', `127.0.0.1:${ready.listen.port}`];
    const report = ['--modid', '1', '--cmdid', '1', '--host', '10.0.0.1:80,succ=1'];
    await run(0, 'send', ...to, ...report, '--show');
    await askAll(heard, port);
    await run(0, 'status', '--admin', admin);
    await run(0, 'check', '--diff', '--admin', admin);
    heard.add('command lines', commandLines([cli.child.pid!, ...cli.childPids]));

    // A password that is wrong from now on, a bad file, a crash, and a hand-over that fails.
    plant(cwd, settingsWith(PASSWORD), planted, { writers: { count: 'many' } });
    await run(2, 'reload', '--admin', admin);
    plant(cwd, settingsWith(PASSWORD), planted);
    await db.query(`ALTER USER planted@'%' IDENTIFIED BY 'changed'`);
    const { pid } = await statusOf(port);
    process.kill(pid, 'SIGKILL');
    await until(() => cli.stderr.includes('Access denied'), { ...BOUND, what: 'the password to be refused' });
    await db.query(`ALTER USER planted@'%' IDENTIFIED BY '${PASSWORD}'`);
    await until(async () => (await statusOf(port)).state === 'running', {
      ...BOUND,
      what: 'the next process',
    });
    await askAll(heard, port);
    heard.addResult('serve', await cli.stop());
    heard.addFiles(cwd, planted);
    t.true(heard.bytes > 20_000, 'something was heard');
    t.deepEqual(heard.leaks, []);
  });

/** Nothing of these starts. */
const BROKEN: Readonly<Record<string, (t: ExecutionContext) => Settings>> = {
  'a password that is wrong, in the address': () => PLACES['the configuration']!(WRONG_PASSWORD),
  'a password that is wrong, in a file': () => PLACES['files']!(WRONG_PASSWORD),
  'an address that is no address': () => {
    const { file, ...others } = PLACES['the configuration']!(PASSWORD);
    return { ...others, file: { ...file, store: { url: `mysql://planted:${PASSWORD}@127.0.0.1/lars` } } };
  },
  'options that are none': () => ({
    ...PLACES['the environment']!(PASSWORD),
    env: {
      LARS_STORE_URL: `${urlWith(PASSWORD)}?ssl-mode=${encodeURIComponent(WRONG_PASSWORD)}`,
      LARS_ADMIN_TOKEN: TOKEN,
    },
  }),
  'a token with a line end': () => ({
    ...PLACES['files']!(PASSWORD),
    file: { admin: { token: `${TOKEN}\n` } },
  }),
  'a secret and its file': () => ({
    ...PLACES['files']!(PASSWORD),
    env: { LARS_ADMIN_TOKEN: TOKEN, LARS_ADMIN_TOKEN_FILE: 'token' },
  }),
  'a file of two lines': () => ({
    ...PLACES['files']!(PASSWORD),
    secrets: { password: PASSWORD, token: `${TOKEN}\n${WRONG_TOKEN}`, view: VIEW_TOKEN },
  }),
  'a secret in the place of its file': () => ({
    file: { store: { url: bareUrl(), passwordFile: PASSWORD.replace(/\W/g, '') } },
    env: {},
    secrets: {},
  }),
};

for (const [mistake, settingsOf] of Object.entries(BROKEN))
  test.serial(`no secret is said where a site does not start: ${mistake}`, async (t) => {
    const cwd = tempDir(t);
    const heard = new Heard();
    const planted = new Set<string>();
    const settings = settingsOf(t);
    plant(cwd, settings, planted);
    const env = { LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0', LARS_LOG_LEVEL: 'trace', ...settings.env };
    for (const args of [
      ['check', '--store'],
      ['serve'],
      ['migrate'],
      ['status'],
      ['send', '--to', '127.0.0.1:1'],
    ]) {
      const result = await runCli(args, { cwd, env });
      t.not(result.code, 0, args.join(' '));
      heard.addResult(args.join(' '), result);
    }
    if (existsSync(path.join(cwd, 'data'))) heard.addFiles(cwd, planted);
    t.deepEqual(heard.leaks, []);
  });

test.serial('a new password in its file is used from SIGHUP on, in place, without a keeper', async (t) => {
  const cwd = tempDir(t);
  const settings = PLACES['files']!(PASSWORD);
  plant(cwd, settings, new Set(), { keeper: { enabled: false } });
  const env = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0', ...settings.env };
  const { cli, ready } = await startServe([], { cwd, env });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const send = async (succ: number) => {
    const args = [
      '--to',
      `127.0.0.1:${ready.listen.port}`,
      '--modid',
      '7',
      '--cmdid',
      '1',
      '--caller',
      '10.0.0.9',
    ];
    const result = await runCli(['send', ...args, '--host', `10.0.0.1:80,succ=${succ}`], { cwd, env });
    t.is(result.code, 0, result.stderr);
  };
  const stored = async () =>
    (await db.query('SELECT succ_cnt FROM lars.ServerCallStatus WHERE modid = 7'))[0]?.['succ_cnt'];
  await send(1);
  await until(async () => (await stored()) === 1, { ...BOUND, what: 'the first row' });
  await db.query("ALTER USER planted@'%' IDENTIFIED BY 'another one'");
  t.teardown(async () => void (await db.query(`ALTER USER planted@'%' IDENTIFIED BY '${PASSWORD}'`)));
  const sessions = await db.query(
    "SELECT id AS session FROM information_schema.processlist WHERE user = 'planted'",
  );
  for (const { session } of sessions) await db.query(`KILL ${session}`);
  await send(2);
  await until(() => cli.stderr.includes('Access denied'), { ...BOUND, what: 'the password to be refused' });
  writeFileSync(path.join(cwd, 'password'), 'another one\n');
  cli.child.kill('SIGHUP');
  await until(async () => (await stored()) === 2, { ...BOUND, what: 'the second row' });
  t.regex(cli.stderr, /"outcome":"in-place","keys":\["store\.url"\]/);
});
