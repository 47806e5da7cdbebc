import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import type { Report } from '../../src/model/report.js';
import { until } from '../../src/testing/until.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { CliProcess, runCli, startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const ENV = { LARS_LISTEN_HOST: '127.0.0.1', LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };

/** A reporter with journal and store in a folder of its own, and a way to send to it. */
async function serve(t: ExecutionContext, env: NodeJS.ProcessEnv = {}) {
  const cwd = tempDir(t);
  const { cli, ready } = await startServe([], { cwd, env: { ...ENV, ...env } });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const to = `${ready.listen.host}:${ready.listen.port}`;
  const send = (args: readonly string[], input?: Uint8Array) =>
    runCli(['send', '--to', to, ...args], { cwd, ...(input ? { input } : {}) });
  return { cwd, cli, ready, send };
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly pending?: number;
}

/** The log lines of a process so far. */
function logOf(cli: CliProcess): LogLine[] {
  const lines = cli.stderr.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as LogLine);
}

const ip = (text: string): number => parseIpv4(text)!;

function report(modid: number, ...hosts: string[]): Report {
  const results = hosts.map((host, index) => ({
    ip: ip(host),
    port: 80,
    succ: index,
    err: 1,
    overload: index === 1,
  }));
  return { modid, cmdid: 1, caller: ip('172.16.0.9'), ts: 1000, results };
}

test('serve prints one line when it is ready, and logs JSON lines on stderr', async (t) => {
  const { cli, ready } = await serve(t);
  t.is(ready.ready, true);
  t.is(ready.listen.host, '127.0.0.1');
  t.true(ready.listen.port > 0);
  t.deepEqual(Object.keys(ready), ['ready', 'listen', 'admin']);

  const { code, stdout } = await cli.stop();
  t.is(code, 0);
  t.is(stdout.split('\n').length, 2);
  const log = logOf(cli);
  t.true(log.length > 0);
  for (const line of log) t.true(typeof line.msg === 'string' && typeof line.level === 'string');
});

test('send --show prints the rows of the report, addresses dotted, columns aligned', async (t) => {
  const { send } = await serve(t);
  const { code, stdout, stderr } = await send([
    ...['--modid', '1', '--cmdid', '-2', '--caller', '192.168.0.9', '--ts', '4000000000'],
    ...['--host', '10.0.0.1:8080,succ=98,err=2', '--host', '192.168.0.1:80,succ=4294967295,overload'],
    '--show',
  ]);
  t.is(stderr, '');
  t.is(code, 0);
  const [sent, ...table] = stdout.trimEnd().split('\n');
  t.regex(sent!, /^sent 1 report, 2 rows, \d+ bytes to 127\.0\.0\.1:\d+$/);
  t.deepEqual(table, [
    'modid  cmdid  ip           port  caller             succ  err          ts  overload',
    '    1     -2  192.168.0.1    80  192.168.0.9  2147483647    0  4000000000         1',
    '    1     -2  10.0.0.1     8080  192.168.0.9          98    2  4000000000         0',
  ]);
});

test('a second report of the same host replaces the first', async (t) => {
  const { send } = await serve(t);
  const args = ['--modid', '1', '--cmdid', '2', '--show', '--host'];
  t.regex((await send([...args, '10.0.0.1:80,succ=100'])).stdout, / 100 {4}0 +\d+ +0\n$/);
  const { stdout } = await send([...args, '10.0.0.1:80,succ=7,err=1']);
  t.regex(stdout, / 7 {4}1 +\d+ +0\n$/);
  t.is(stdout.split('\n').length, 4);
});

test('send --file sends the frames of a file, counts them, and shows the services they name', async (t) => {
  const { cwd, send } = await serve(t);
  await send(['--modid', '3', '--cmdid', '1', '--host', '10.9.9.9:80', '--ts', '1', '--show']);
  const frames = Buffer.concat([
    encodeReportFrame(report(3, '10.0.0.1', '10.0.0.2')),
    encodeFrame(99, Buffer.from('nobody knows this')),
    encodeReportFrame(report(4, '10.0.0.3')),
    encodeReportFrame(report(3, '10.0.0.4', '10.0.0.1')),
  ]);
  writeFileSync(path.join(cwd, 'frames.bin'), frames);
  const { code, stdout, stderr } = await send(['--file', 'frames.bin', '--show']);
  t.is(stderr, '');
  t.is(code, 0);
  const [sent, , ...rows] = stdout.trimEnd().split('\n');
  t.true(sent!.startsWith(`sent 3 reports, 5 rows, 1 other frame, ${frames.length} bytes to `));
  t.deepEqual(
    rows.map((row) => row.trim().split(/ +/).join(' ')),
    [
      '3 1 10.0.0.1 80 172.16.0.9 1 1 1000 1',
      '3 1 10.0.0.2 80 172.16.0.9 1 1 1000 1',
      '3 1 10.0.0.4 80 172.16.0.9 0 1 1000 0',
      '3 1 10.9.9.9 80 127.0.0.1 0 0 1 0',
      '4 1 10.0.0.3 80 172.16.0.9 0 1 1000 0',
    ],
  );
});

test('send --file - takes a stream of any size from stdin, and says when its end is cut off', async (t) => {
  const { send } = await serve(t);
  const frame = encodeReportFrame(report(5, '10.0.0.1', '10.0.0.2', '10.0.0.3'));
  const count = 50_000;
  const frames = Buffer.concat([...Array.from({ length: count }, () => frame), frame.subarray(0, 10)]);
  const { code, stdout, stderr } = await send(['--file', '-', '--show'], frames);
  t.is(stderr, 'warning: -: the last 10 bytes are an incomplete frame\n');
  t.is(code, 0);
  t.true(stdout.startsWith(`sent ${count} reports, ${count * 3} rows, ${frames.length} bytes to `));
  t.is(stdout.trimEnd().split('\n').length, 5);
});

test('send --show says when the rows do not come, after printing what is there', async (t) => {
  const { send } = await serve(t);
  const elsewhere = path.join(tempDir(t), 'config.json');
  writeFileSync(elsewhere, '{}');
  const { code, stdout, stderr } = await send([
    ...['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80', '--show', '--wait-ms', '100'],
    ...['--config', elsewhere],
  ]);
  t.is(code, 1);
  t.regex(stdout, /^sent 1 report, .*\nmodid .*\n$/);
  t.regex(stderr, /^error: 1 of the rows sent were not in embedded:.* within 100 ms; .*\n$/);
});

test('send fails, and says why, when the reporter has too many connections', async (t) => {
  const { ready, send } = await serve(t, { LARS_LISTEN_MAX_CONNECTIONS: '1' });
  const only = connect(ready.listen.port, ready.listen.host);
  t.teardown(() => only.destroy());
  await once(only, 'connect');
  const { code, stdout, stderr } = await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80']);
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^error: .* may have too many connections \(listen\.maxConnections\)\n$/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains and exits 0`, async (t) => {
    const { cli, send } = await serve(t);
    await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80']);
    const { code, signal: killedBy } = await cli.stop(signal);
    t.is(code, 0);
    t.is(killedBy, null);
    t.regex(logOf(cli).at(-1)?.msg ?? '', /^stopped; every row is stored$/);
  });
}

test('what cannot be drained in time is said, stays in the journal and is stored by the next run', async (t) => {
  // Nobody listens on port 1: the store is away.
  const away = { LARS_STORE_URL: 'mysql://lars:hunter2@127.0.0.1:1/lars', LARS_SHUTDOWN_DRAIN_MS: '200' };
  const { cwd, cli, send } = await serve(t, away);
  await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80,succ=5', '--ts', '77']);
  const { code, stdout, stderr } = await cli.stop();
  t.is(code, 0);
  const last = logOf(cli).at(-1);
  t.is(last?.msg, 'stopped; 1 rows are not stored and stay in the journal');
  t.is(last?.pending, 1);
  t.false((stdout + stderr).includes('hunter2'));

  const next = await startServe([], { cwd, env: ENV });
  t.is((await next.cli.stop()).code, 0);
  const { stdout: shown } = await serveAndShow(t, cwd);
  t.regex(shown, / 10\.0\.0\.1 +80 +127\.0\.0\.1 +5 +0 +77 +0\n/);
});

/** Starts a reporter in `cwd` and shows service 1 2, to which a row is added. */
async function serveAndShow(t: ExecutionContext, cwd: string) {
  const { cli, ready } = await startServe([], { cwd, env: ENV });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  const frame = encodeReportFrame({ ...report(1, '10.0.0.2'), cmdid: 2 });
  const to = `127.0.0.1:${ready.listen.port}`;
  return runCli(['send', '--to', to, '--file', '-', '--show'], { cwd, input: frame });
}

test('a second signal ends serve at once, with exit code 1', async (t) => {
  const { cli, send } = await serve(t, { LARS_STORE_URL: 'mysql://lars:x@127.0.0.1:1/lars' });
  await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80']);
  cli.child.kill('SIGTERM');
  await until(() => cli.stderr.includes('"stopping"'), { boundMs: 10_000, what: 'the drain has begun' });
  const { code } = await cli.stop('SIGTERM');
  t.is(code, 1);
  t.regex(logOf(cli).at(-1)?.msg ?? '', /second signal/);
});

test('a signal while serve is starting stops it in order', async (t) => {
  const cli = new CliProcess(['serve'], { cwd: tempDir(t), env: ENV });
  t.teardown(async () => void (await cli.stop('SIGKILL')));
  await until(() => cli.stderr.includes('the store is ready'), {
    boundMs: 60_000,
    what: 'serve is starting',
  });
  const { code } = await cli.stop();
  t.is(code, 0);
  t.regex(logOf(cli).at(-1)?.msg ?? '', /^stopped; /);
});

test('serve goes on when the reader of its ready line leaves', async (t) => {
  const { cli, send } = await serve(t);
  cli.child.stdout?.destroy();
  const { code } = await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80', '--show']);
  t.is(code, 0);
  t.is((await cli.stop()).code, 0);
});

test('serve goes on when nobody reads its log any more', async (t) => {
  const { cli, send } = await serve(t);
  cli.child.stderr?.destroy();
  const { code } = await send(['--modid', '1', '--cmdid', '2', '--host', '10.0.0.1:80', '--show']);
  t.is(code, 0);
  t.is((await cli.stop()).code, 0);
});

test('a port in use is a failure: exit code 1, and the line names the address', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { code, stdout, stderr } = await runCli(['serve'], {
    cwd: tempDir(t),
    env: { ...ENV, LARS_LISTEN_PORT: String(port) },
  });
  t.is(code, 1);
  t.is(stdout, '');
  const last = JSON.parse(stderr.trimEnd().split('\n').at(-1)!) as { level: string; msg: string };
  t.is(last.level, 'error');
  t.true(last.msg.includes(`127.0.0.1:${port}`), last.msg);
  t.false(stderr.includes('    at '), 'no stack');
});

test('a journal folder that cannot be made is a failure: exit code 1, and the line names it', async (t) => {
  const cwd = tempDir(t);
  writeFileSync(path.join(cwd, 'file'), '');
  const { code, stdout, stderr } = await runCli(['serve'], {
    cwd,
    env: { ...ENV, LARS_JOURNAL_DIR: 'file/journal' },
  });
  t.is(code, 1);
  t.is(stdout, '');
  t.true(stderr.includes(`${cwd}/file/journal`), stderr);
});

test('a second serve on the same journal is a failure: exit code 1', async (t) => {
  const { cwd } = await serve(t);
  const { code, stderr } = await runCli(['serve'], { cwd, env: ENV });
  t.is(code, 1);
  t.regex(stderr, /"level":"error".*data\/journal/);
});

test('a store that can never work is a mistake: exit code 2', async (t) => {
  const cwd = tempDir(t);
  writeFileSync(path.join(cwd, 'file'), '');
  const { code, stdout } = await runCli(['serve'], {
    cwd,
    env: { ...ENV, LARS_STORE_URL: 'embedded:file/store' },
  });
  t.is(code, 2);
  t.is(stdout, '');
});
