import test from 'ava';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const COMMANDS = [
  'serve',
  'reload',
  'check',
  'status',
  'incidents',
  'migrate',
  'send',
  'simulate',
  'journal',
  'doctor',
  'forget',
  'dead-letters',
];

test('--help lists the commands', async (t) => {
  const { code, stdout, stderr } = await runCli(['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const command of COMMANDS) t.regex(stdout, new RegExp(`^  ${command} `, 'm'));
});

for (const command of COMMANDS) {
  test(`${command} --help names --config and gives an example`, async (t) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    t.is(code, 0);
    t.is(stderr, '');
    t.regex(stdout, new RegExp(`^Usage: lars-reporter ${command} \\[options\\]`));
    t.regex(stdout, /^ {2}--config <file> /m);
    t.regex(stdout, new RegExp(`^Example:\\n  \\$ .*lars-reporter ${command}`, 'm'));
    t.is((await runCli(['help', command])).stdout, stdout);
  });
}

test('--version prints the version', async (t) => {
  const { code, stdout } = await runCli(['--version']);
  t.is(code, 0);
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('without a command, the help goes to stderr and the exit code is 2', async (t) => {
  const { code, stdout, stderr } = await runCli([]);
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /^Usage: lars-reporter COMMAND/);
});

const REPORT = ['send', '--modid', '1', '--cmdid', '2'];

const WRONG: readonly (readonly [args: readonly string[], says: string])[] = [
  [['serv'], "error: unknown command 'serv' (Did you mean serve?); see --help"],
  [['check', '--stor'], "error: unknown option '--stor' (Did you mean --store?); see --help"],
  [['check', 'that'], "error: too many arguments for 'check'. Expected 0 arguments but got 1.; see --help"],
  [['check', '--config'], "error: option '--config <file>' argument missing; see --help"],
  [
    ['send', '--modid', '1e3'],
    "error: option '--modid <n>' argument '1e3' is invalid. Expected an integer from -2147483648 to 2147483647.",
  ],
  [
    ['send', '--cmdid', '2147483648'],
    "error: option '--cmdid <n>' argument '2147483648' is invalid. " +
      'Expected an integer from -2147483648 to 2147483647.',
  ],
  [
    ['send', '--ts', '-1'],
    "error: option '--ts <seconds>' argument '-1' is invalid. Expected an integer from 0 to 4294967295.",
  ],
  [
    ['send', '--caller', '10.0.0.256'],
    "error: option '--caller <ip>' argument '10.0.0.256' is invalid. Expected an IPv4 address such as 10.0.0.9.",
  ],
  [
    ['send', '--to', '127.0.0.1:0'],
    "error: option '--to <host:port>' argument '127.0.0.1:0' is invalid. " +
      'Expected HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:7779.',
  ],
  [
    ['send', '--wait-ms', 'x'],
    "error: option '--wait-ms <n>' argument 'x' is invalid. Expected an integer from 0 to 3600000.",
  ],
  [
    ['incidents', '--follow', '--since', 'yesterday'],
    "error: option '--since <time>' argument 'yesterday' is invalid. " +
      'Expected a span such as 15m or 2h, or a time such as 2026-11-27T02:00:00Z.',
  ],
  [
    ['send', '--file', 'frames.bin', '--modid', '1'],
    "error: option '--file <frames>' cannot be used with option '--modid <n>'; see --help",
  ],
  [
    ['send', '--file', 'frames.bin'],
    'error: --file frames.bin cannot be read (ENOENT): name a file of frames, or - for stdin',
  ],
  [['send', '--file', '.'], 'error: --file . is a folder: name a file of frames, or - for stdin'],
  [['send'], 'error: --modid is missing: give it, for example --modid 1, or frames with --file'],
  [
    ['send', '--modid', '1'],
    'error: --cmdid is missing: give it, for example --cmdid 2, or frames with --file',
  ],
  [
    REPORT,
    'error: --host is missing: give it, for example --host 10.0.0.1:8080,succ=98,err=2, or frames with --file',
  ],
];

for (const [args, says] of WRONG) {
  test(`wrong usage is one line on stderr and exit code 2: ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runCli(args, { cwd: tempDir(t) });
    t.is(stderr, `${says}\n`);
    t.is(stdout, '');
    t.is(code, 2);
  });
}

for (const host of [
  '10.0.0.1',
  '10.0.0.1:65536',
  'localhost:80',
  '10.0.0.1:80:1',
  '10.0.0.1:80,succ',
  '10.0.0.1:80,succ=-1',
  '10.0.0.1:80,err=4294967296',
  '10.0.0.1:80,succ=1,succ=2',
  '10.0.0.1:80,overload=1',
  '10.0.0.1:80,fine',
  '10.0.0.1:80,',
]) {
  test(`send refuses --host ${host}`, async (t) => {
    const { code, stderr } = await runCli([...REPORT, '--host', host]);
    t.regex(stderr, /^error: option '--host .*' argument '.*' is invalid\. .*(IP:PORT|succ=N).*\n$/);
    t.true(stderr.includes(`'${host}'`));
    t.is(code, 2);
  });
}

test('more hosts than a report holds are wrong usage', async (t) => {
  const hosts = Array.from({ length: 3000 }, (_, index) => [
    '--host',
    `192.168.${index >> 8}.${index & 255}:80,succ=4294967295,err=4294967295`,
  ]);
  const { code, stderr } = await runCli([...REPORT, ...hosts.flat()]);
  t.regex(stderr, /^error: 3000 times --host do not fit one report \(.*\): send them in several\n$/);
  t.is(code, 2);
});

test('an unreachable reporter is a failure, not a mistake: exit code 1, one line, no stack', async (t) => {
  const args = [...REPORT, '--host', '10.0.0.1:80', '--to', '127.0.0.1:1'];
  const { code, stderr } = await runCli(args, { cwd: tempDir(t) });
  t.is(stderr, 'error: cannot connect to 127.0.0.1:1: ECONNREFUSED\n');
  t.is(code, 1);
});

test('at log level debug, errors come with their stack', async (t) => {
  const args = [...REPORT, '--host', '10.0.0.1:80', '--to', '127.0.0.1:1'];
  const { stderr } = await runCli(args, { cwd: tempDir(t), env: { LARS_LOG_LEVEL: 'debug' } });
  t.regex(stderr, /cannot connect to 127\.0\.0\.1:1: ECONNREFUSED\n {4}at /);
});

test('without a port to send to, send asks for one', async (t) => {
  const args = [...REPORT, '--host', '10.0.0.1:80'];
  const { code, stderr } = await runCli(args, { cwd: tempDir(t), env: { LARS_LISTEN_PORT: '0' } });
  t.regex(stderr, /^error: listen\.port is 0, .* --to HOST:PORT\n$/);
  t.is(code, 2);
});
