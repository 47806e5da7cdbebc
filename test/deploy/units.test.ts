import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { describeConfig, loadConfig } from '../../src/config/index.js';
import { until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { PROJECT, textOf } from './files.js';

const UNITS = ['lars-reporter.service', 'lars-reporter-socket.service', 'lars-reporter.socket'];
const SERVICES = UNITS.slice(0, 2);
const unit = (name: string) => textOf(`deploy/systemd/${name}`);

/** Of a unit, the values of a key. */
const valuesOf = (text: string, key: string) =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

/** The units in a folder of their own, with the Node that runs this: others may have it elsewhere. */
function unitsIn(t: ExecutionContext): string {
  const dir = tempDir(t);
  for (const name of UNITS)
    writeFileSync(path.join(dir, name), unit(name).replaceAll('/usr/bin/node', process.execPath));
  return dir;
}

/** `sh tools/shared/need.sh systemd` installs it. */
function analyze(...args: string[]) {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  if (error) throw error;
  return { status, said: stdout + stderr };
}

test('systemd understands the units, and has no objection', (t) => {
  const dir = unitsIn(t);
  const { status, said } = analyze('verify', '--man=no', ...UNITS.map((name) => path.join(dir, name)));
  t.is(status, 0, said);
  t.is(said, '');
});

for (const name of SERVICES)
  test(`${name} may do little beside its work`, (t) => {
    const file = path.join(unitsIn(t), name);
    // Tenths of systemd's measure of exposure, which ends at 10.
    const { status, said } = analyze('security', '--offline=true', '--no-pager', '--threshold=25', file);
    t.is(status, 0, said);
  });

test('the two services are the same, but for who binds the ports', (t) => {
  const settings = (name: string) =>
    unit(name)
      .split('\n')
      .filter((line) => !line.startsWith('#') && line !== 'Requires=lars-reporter.socket');
  t.deepEqual(settings(SERVICES[1]!), settings(SERVICES[0]!));
  t.deepEqual(valuesOf(unit(SERVICES[1]!), 'Requires'), ['lars-reporter.socket']);
  t.deepEqual(valuesOf(unit('lars-reporter.socket'), 'Service'), [SERVICES[1]!]);
});

test('the configuration that comes with the units is valid, and lies where the unit may write', (t) => {
  const file = path.join(PROJECT, 'deploy/systemd/config.json');
  const { config } = loadConfig({ file, env: {}, cwd: '/' });
  const [state = ''] = valuesOf(unit(SERVICES[0]!), 'StateDirectory');
  t.is(path.dirname(config.journal.dir), `/var/lib/${state}`);
  t.is(config.store.url, `embedded:/var/lib/${state}/store`);
  const known = describeConfig().map(({ env }) => env);
  for (const [, name = ''] of textOf('deploy/systemd/environment').matchAll(/^#? ?(LARS_\w+)=/gm))
    t.true(known.includes(name), name);
  const [bound, admin] = valuesOf(unit('lars-reporter.socket'), 'ListenStream');
  t.is(bound, `${config.listen.host}:${config.listen.port}`);
  t.is(admin, `${config.admin.host}:${config.admin.port}`);
});

test('the limits of the unit fit the defaults of the configuration', (t) => {
  const { config } = loadConfig({
    file: path.join(PROJECT, 'deploy/systemd/config.json'),
    env: {},
    cwd: '/',
  });
  const [files] = valuesOf(unit(SERVICES[0]!), 'LimitNOFILE');
  t.true(Number(files) >= config.listen.maxConnections + 400);
  const [stopS] = valuesOf(unit(SERVICES[0]!), 'TimeoutStopSec');
  t.true(Number(stopS) * 1000 > config.shutdown.drainMs + 10_000);
});

test('the lines of the unit that start and reload the reporter do', async (t) => {
  const dir = tempDir(t);
  const config = path.join(dir, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      journal: { dir: path.join(dir, 'journal') },
      store: { url: `embedded:${path.join(dir, 'store')}` },
    }),
  );
  const lines = ['ExecStart', 'ExecReload'].flatMap((key) => valuesOf(unit(SERVICES[0]!), key));
  const [start = '', check = '', signal = ''] = lines.map((line) =>
    line
      .replace('/usr/bin/node', process.execPath)
      .replace('/opt/lars-reporter/current/', PROJECT)
      .replace('/etc/lars-reporter/config.json', config),
  );
  const run = (line: string, args: readonly string[] = []) => {
    const [program = '', ...words] = line.split(' ');
    return spawn(program, [...words, ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const ended = (child: ReturnType<typeof run>) =>
    new Promise<number | null>((resolve) => child.once('close', resolve));
  const server = run(start);
  t.teardown(() => server.kill('SIGKILL'));
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let out = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await until(() => out.includes('\n'), { boundMs: 60_000, what: 'the ready line' });
  for (const line of [check, signal.replace('$MAINPID', `${server.pid}`)]) {
    const reloading = run(line);
    reloading.stdout.resume();
    reloading.stderr.resume();
    t.is(await ended(reloading), 0, line);
  }
  await until(() => log.includes('the configuration was read again'), {
    boundMs: 60_000,
    what: 'the reload',
  });
  const end = ended(server);
  server.kill('SIGTERM');
  t.is(await end, 0);
});

test('the command for administrators has the secrets as systemd reads them: no shell looks at their values', async (t) => {
  const dir = tempDir(t);
  const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
  const script = path.join(dir, 'lars-reporter');
  writeFileSync(
    script,
    textOf('deploy/systemd/lars-reporter')
      .replaceAll('/etc/lars-reporter', dir)
      .replaceAll('/opt/lars-reporter/current/', PROJECT)
      .replaceAll('/usr/bin/node', process.execPath)
      .replace('= lars ]', `= ${user} ]`),
  );
  writeFileSync(path.join(dir, 'config.json'), '{ "writers": { "count": 7 } }');
  const odd = `${dir}/a $HOME \`id\` & 'b' #c`;
  writeFileSync(
    path.join(dir, 'environment'),
    `# LARS_LISTEN_PORT=1\nLARS_JOURNAL_DIR=${odd}\nLARS_LISTEN_PORT="2345"\nPATH=/nowhere\nLARS_ADMIN_PORT='3456'`,
  );
  const { status, stdout, stderr } = spawnSync('sh', [script, 'check'], { encoding: 'utf8' });
  t.is(status, 0, stderr);
  const { journal, listen, admin, writers } = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  t.is(journal!['dir'], odd);
  t.is(listen!['port'], 2345);
  t.is(admin!['port'], 3456);
  t.is(writers!['count'], 7, 'it finds the file beside');
});
