import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput, Report, Reporter } from '../../../src/index.js';
import { parseIpv4, startReporter } from '../../../src/index.js';
import { MemoryStore, until } from '../../../src/testing/index.js';
import type { ServiceAnswer, ServicesAnswer } from '../../../src/view/shapes.js';
import { CliProcess, runCli } from '../../../tools/shared/process.js';
import { ask } from '../../admin/ask.js';
import { tempDir } from '../../support/temp.js';

const BOUND = { boundMs: 60_000 };
const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const ip = (text: string) => parseIpv4(text)!;

const report = (caller: string, sick: boolean, service = 17): Report => ({
  modid: 4242,
  cmdid: service,
  caller: ip(caller),
  ts: Math.floor(Date.now() / 1000),
  results: [
    { ip: ip('10.2.0.7'), port: 80, succ: 0, err: 0, overload: sick },
    { ip: ip('10.2.0.8'), port: 80, succ: 50, err: 0, overload: false },
  ],
});

interface SetUp {
  readonly config?: ConfigInput;
  /** Of service 4242/17: callers that say its first host is overloaded. */
  readonly sick?: number;
}

/** A reporter in this process that has heard four callers, and what its operators have: its configuration. */
async function setUp(t: ExecutionContext, { config, sick = 0 }: SetUp = {}) {
  const cwd = tempDir(t);
  const full: ConfigInput = {
    ...{ listen: { host: '127.0.0.1', port: 0 }, names: { '4242/17': 'feed' } },
    journal: { dir: path.join(cwd, 'journal') },
    ...config,
    admin: { port: 0, ...config?.admin },
  };
  const reporter = await startReporter(full, { store: new MemoryStore() });
  t.teardown(() => reporter.stop());
  const { port } = reporter.admin!;
  writeFileSync(
    path.join(cwd, 'config.json'),
    JSON.stringify({ ...full, admin: { ...full.admin, port } } satisfies ConfigInput),
  );
  const status = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
    runCli(['status', ...args], { cwd, env: { ...UTF8, ...env } });
  if (full.view?.enabled !== false) {
    for (let caller = 1; caller <= 4; caller++)
      await reporter.report(
        report(`10.9.0.${caller}`, caller <= sick),
        report(`10.9.0.${caller}`, false, 18),
      );
    await seen(reporter, full.admin?.token);
  }
  return { cwd, reporter, status, port };
}

/** Until the view has looked at both services. */
async function seen({ admin }: Reporter, token?: string): Promise<void> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let text = '';
  const look = async () => {
    text = (await ask(admin!, '/api/services', { headers })).body;
  };
  await until(
    () => {
      void look();
      return /"total":2,/.test(text) && /"fresh":4,.*"fresh":4,/.test(text) && !/"warming":\{/.test(text);
    },
    { ...BOUND, what: 'the view to know both services' },
  );
}

test('nothing in trouble is exit 0, and says so', async (t) => {
  const { status } = await setUp(t);
  const { code, stdout, stderr } = await status();
  t.is(stderr, '');
  t.regex(stdout, /^reporter \w+ · \d agents · live as of \d\d:\d\d:\d\d · 2 ok\n/);
  t.regex(stdout, /no service is in trouble; --all lists all of them\n$/);
  t.is(code, 0);
  const all = await status(['--all']);
  t.regex(all.stdout, /^ok +4242\/17 feed +0\/2 +0\/4 /m);
  t.regex(all.stdout, /^ok +4242\/18 +0\/2 +0\/4 /m);
  t.is(all.code, 0);
});

test('an overloaded service is exit 1; --fail-on and --level choose what counts and what is listed', async (t) => {
  const { status } = await setUp(t, { sick: 3 });
  const { code, stdout } = await status();
  t.regex(stdout, /^overloaded +4242\/17 feed +1\/2 +3\/4 .* 1 of 2 hosts overloaded, 3 of 4 callers agree/m);
  t.notRegex(stdout, /4242\/18/);
  t.is(code, 1);
  t.is((await status(['--fail-on', 'outage'])).code, 0);
  t.is((await status(['--fail-on', 'overloaded'])).code, 1);
  const outages = await status(['--level', 'outage']);
  t.notRegex(outages.stdout, /4242/);
  t.is(outages.code, 1, 'what is not listed counts all the same');
});

test('one service shows its hosts, then callers that say so, then those that do not', async (t) => {
  const { status } = await setUp(t, { sick: 3 });
  const { code, stdout } = await status(['--service', '4242/17']);
  t.is(code, 1);
  const lines = stdout.split('\n');
  const at = (text: RegExp) => lines.findIndex((line) => text.test(line));
  const order = [
    at(/^overloaded · 4242\/17 feed · since/),
    at(/^ {2}1 of 2 hosts overloaded, 3 of 4 callers agree$/),
    at(/^overloaded +10\.2\.0\.7:80 +3\/4 /),
    at(/^ok +10\.2\.0\.8:80 +0\/4 /),
    at(/^10\.9\.0\.1 .* 10\.2\.0\.7:80$/),
    at(/^10\.9\.0\.3 .* 10\.2\.0\.7:80$/),
    at(/^10\.9\.0\.4 .* –$/),
  ];
  t.true(
    order.every((line) => line >= 0),
    stdout,
  );
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.is((await status(['--service', '4242/18'])).code, 0);
  const unknown = await status(['--service', '1/1']);
  t.is(unknown.stderr, 'error: no agent has reported service 1/1\n');
  t.is(unknown.code, 1);
});

test('hosts, callers, changes, lost machines and the reporter have pages of their own', async (t) => {
  const { status } = await setUp(t, { sick: 3 });
  const page = async (...args: string[]) => (await status(args)).stdout;
  const host = await page('--host', '10.2.0.7');
  t.regex(host, /^10\.2\.0\.7 · serves 2 services · overloaded in 1$/m);
  t.regex(host, /^overloaded +4242\/17 feed +80 +3\/4 /m);
  t.is((await status(['--host', '10.2.0.7'])).code, 1);
  const caller = await page('--caller', '10.9.0.1');
  t.regex(
    caller,
    /^10\.9\.0\.1 · reporting · heard \d+s ago ·(?: its clock is \d+s behind ·)? says overloaded of 1 host, alone with 0$/m,
  );
  t.regex(caller, /^overloaded +4242\/17 feed +10\.2\.0\.7:80 +overloaded +3\/4 .* 0 ok, 0 failed/m);
  t.regex(await page('--changes'), /^\d\d:\d\d:\d\d +incident-began +4242\/17 +10\.2\.0\.7:80 /m);
  t.regex(await page('--changes', '1s', '--limit', '1'), /^reporter /);
  t.regex(await page('--gone'), /no machine is missing/);
  const reporter = await page('--reporter');
  t.regex(reporter, /^ledger +16 received \+ 0 recovered = \d+ stored /m);
  t.regex(reporter, /^view +live · 16 rows /m);
});

test('--json is what the API answers, in one document; --csv is its list', async (t) => {
  const { status } = await setUp(t, { sick: 3 });
  const list = JSON.parse((await status(['--json', '--all'])).stdout) as ServicesAnswer & {
    readonly reporter: { readonly version: string };
  };
  t.deepEqual(
    list.services.map(({ modid, cmdid, level }) => [modid, cmdid, level]),
    [
      [4242, 17, 'overloaded'],
      [4242, 18, 'ok'],
    ],
  );
  t.is(typeof list.reporter.version, 'string');
  const { code, stdout } = await status(['--json', '--service', '4242/17']);
  t.is(code, 1);
  const one = JSON.parse(stdout) as ServiceAnswer;
  t.is(one.hosts.length, 2);
  t.is(one.voices.length, 4);
  const csv = await status(['--csv', '--all']);
  t.is(csv.code, 1);
  t.regex(csv.stdout, /^modid,cmdid,name,level,.*\r\n4242,17,feed,overloaded,.*\r\n4242,18,,ok,.*\n$/);
});

test('--check is one line and the exit codes of Nagios', async (t) => {
  const { status, cwd } = await setUp(t, { sick: 3 });
  const { code, stdout, stderr } = await status(['--check']);
  t.regex(
    stdout,
    /^LARS CRITICAL - 1 overloaded, 1 ok; worst 4242\/17 feed: .* \| outage=0 overloaded=1 .*\n$/,
  );
  t.is(stdout.split('\n').length, 2);
  t.is(stderr, '');
  t.is(code, 2);
  t.true([0, 1].includes((await status(['--check', '--fail-on', 'outage'])).code!));
  const lost = await runCli(['status', '--check', '--admin', '127.0.0.1:1'], { cwd });
  t.regex(lost.stdout, /^LARS UNKNOWN - no reporter answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/);
  t.is(lost.stderr, '');
  t.is(lost.code, 3);
});

test('a reporter that cannot be asked is exit 3, with its address and what to check, and no stack', async (t) => {
  const { cwd, port } = await setUp(t, { config: { admin: { token: 's3cret' } } });
  const nobody = await runCli(['status', '--admin', '127.0.0.1:1'], { cwd });
  t.is(
    nobody.stderr,
    'error: no reporter answers at 127.0.0.1:1 (ECONNREFUSED): is it running, and are admin.host and admin.port those of its configuration? --admin HOST:PORT names another\n',
  );
  t.is(nobody.stdout, '');
  t.is(nobody.code, 3);
  const elsewhere = { cwd: tempDir(t), env: {} };
  const locked = await runCli(['status', '--admin', `127.0.0.1:${port}`], elsewhere);
  t.regex(locked.stderr, /^error: the reporter at .* answers 401: .*LARS_ADMIN_TOKEN\)\n$/);
  t.is(locked.code, 3);
  const env = { LARS_ADMIN_TOKEN: 's3cret' };
  t.is((await runCli(['status', '--admin', `127.0.0.1:${port}`], { ...elsewhere, env })).code, 0);
  t.is((await runCli(['status'], { cwd, env: { LARS_ADMIN_PORT: '0' } })).code, 2);
});

test('the token that may only look is enough', async (t) => {
  const { cwd, port } = await setUp(t, { config: { admin: { token: 's3cret', viewToken: 's33n' } } });
  writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ admin: { port, viewToken: 's33n' } }));
  t.is((await runCli(['status'], { cwd })).code, 0);
});

test('without a view, status says so, and the reporter can still be asked', async (t) => {
  const { status } = await setUp(t, { config: { view: { enabled: false } } });
  const { code, stderr } = await status();
  t.regex(stderr, /^error: the reporter at .* answers 404: .*view\.enabled/);
  t.is(code, 3);
  const reporter = await status(['--reporter']);
  t.not(reporter.code, 3);
  t.regex(reporter.stdout, / · no view\n/);
});

for (const [args, says] of [
  [['--service', '17'], /MODID\/CMDID/],
  [['--host', '10.2.0'], /IPv4/],
  [['--level', 'bad'], /Allowed choices/],
  [['--watch', '0'], /integer from 1/],
  [['--service', '1/2', '--host', '10.0.0.1'], /--service and --host show different things/],
  [['--json', '--csv'], /different outputs/],
  [['--watch', '--check'], /do not go together/],
  [['--all', '--level', 'ok'], /show different things/],
] as const)
  test(`wrong usage is one line and exit 2: ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runCli(['status', ...args], { cwd: tempDir(t) });
    t.regex(stderr, says);
    t.is(stderr.trimEnd().split('\n').length, 1);
    t.is(stdout, '');
    t.is(code, 2);
  });

test('a time that is none is wrong usage, in the words of the reporter', async (t) => {
  const { status } = await setUp(t);
  const { code, stderr } = await status(['--changes', 'yesterday']);
  t.regex(stderr, /^error: since is to be a span such as 15m/);
  t.is(code, 2);
});

test('--watch prints block after block, says when nobody answers, and goes on when the reporter is back', async (t) => {
  const { cwd, reporter, port } = await setUp(t, { sick: 3 });
  const cli = new CliProcess(['status', '--watch', '1'], { cwd, env: UTF8 });
  t.teardown(() => {
    cli.child.kill('SIGKILL');
  });
  const printed = (pattern: RegExp) =>
    until(() => pattern.test(cli.stdout), { ...BOUND, what: `${pattern} in ${cli.stdout}` });
  await printed(/(overloaded +4242\/17[\s\S]*){2}/);
  await reporter.stop();
  await printed(/not live for \d+s: no reporter answers at 127\.0\.0\.1/);
  const again = await startReporter(
    {
      ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port } },
      journal: { dir: path.join(cwd, 'journal') },
    },
    { store: new MemoryStore() },
  );
  t.teardown(() => again.stop());
  await printed(/not live[\s\S]*\nreporter \w+ · /);
  const { code, stderr } = await cli.stop('SIGTERM');
  t.is(stderr, '');
  t.true(code === 0 || code === 1);
});
