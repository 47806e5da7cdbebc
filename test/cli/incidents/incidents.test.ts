import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  type ConfigInput,
  parseIpv4,
  type Report,
  type Reporter,
  startReporter,
} from '../../../src/index.js';
import { MemoryStore, until } from '../../../src/testing/index.js';
import { CliProcess, runCli } from '../../../tools/shared/process.js';
import { tempDir } from '../../support/temp.js';

const BOUND = { boundMs: 60_000 };
const ip = (text: string) => parseIpv4(text)!;

const report = (sick: boolean, host = '10.2.0.7'): Report => ({
  ...{ modid: 4242, cmdid: 17, caller: ip('10.9.0.1'), ts: Math.floor(Date.now() / 1000) },
  results: [{ ip: ip(host), port: 80, succ: 50, err: 0, overload: sick }],
});

interface Line {
  readonly event: string;
  readonly at: string;
  readonly id: number;
  readonly kind: string;
  readonly host: string | null;
  readonly ended: string | null;
}

const jsonLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** A reporter in this process, with a hold of two seconds: incidents end soon. `start`: another one in its place. */
async function setUp(t: ExecutionContext) {
  const cwd = tempDir(t);
  const settings: ConfigInput = {
    ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } },
    ...{ journal: { dir: path.join(cwd, 'journal') }, view: { holdS: 2 } },
  };
  const start = async (config: ConfigInput = settings): Promise<Reporter> => {
    const reporter = await startReporter(config, { store: new MemoryStore() });
    t.teardown(() => reporter.stop());
    writeFileSync(
      path.join(cwd, 'config.json'),
      JSON.stringify({ ...config, admin: { port: reporter.admin!.port } }),
    );
    return reporter;
  };
  const follow = (...args: string[]) => {
    const child = new CliProcess(['incidents', '--follow', '--json', ...args], { cwd });
    t.teardown(() => child.stop('SIGKILL'));
    const lines = () => jsonLines(child.stdout).filter(({ kind }) => kind === 'host');
    return { child, lines };
  };
  return { cwd, start, follow, run: (...args: string[]) => runCli(['incidents', ...args], { cwd }) };
}

test('each incident is followed from its begin to its end, a JSON line each; told to stop it exits 0', async (t) => {
  const { start, follow } = await setUp(t);
  const reporter = await start();
  await reporter.report(report(true));
  const { child, lines } = follow();
  await until(() => lines().length === 1, { ...BOUND, what: 'the one that runs' });
  t.like(lines()[0], { event: 'began', kind: 'host', host: '10.2.0.7:80', ended: null });
  await reporter.report(report(false));
  await until(() => lines().length === 2, { ...BOUND, what: 'its end' });
  t.like(lines()[1], { event: 'ended', id: lines()[0]!.id, host: '10.2.0.7:80' });
  await reporter.report(report(true, '10.2.0.8'));
  await until(() => lines().length === 3, { ...BOUND, what: 'the next one' });
  t.like(lines()[2], { event: 'began', host: '10.2.0.8:80' });
  t.is((await child.stop()).code, 0);
});

test('a reporter that restarts is asked on, and an incident that goes on is told no second time', async (t) => {
  const { start, follow, cwd } = await setUp(t);
  const first = await start();
  await first.report(report(true));
  const cursor = path.join(cwd, 'cursor');
  const { child, lines } = follow('--cursor', cursor);
  await until(() => lines().length === 1, { ...BOUND, what: 'the one that runs' });
  const { port } = first.admin!;
  await first.stop();
  await until(() => child.stderr.includes('asking on'), { ...BOUND, what: 'its end to be noticed' });
  const second = await start({
    ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { port } },
    ...{ journal: { dir: path.join(cwd, 'journal') }, view: { holdS: 2 } },
  });
  await second.report(report(true));
  await until(() => child.stderr.includes('answers again'), { ...BOUND, what: 'it to be asked' });
  t.is((await child.stop()).code, 0);
  await second.report(report(false));
  // Started anew, it goes on where the first one was.
  const next = follow('--cursor', cursor);
  await until(() => next.lines().length === 1, { ...BOUND, what: 'the end' });
  t.like(next.lines()[0], { event: 'ended', id: lines()[0]!.id });
  t.is(lines().length, 1);
  t.deepEqual(Object.keys(JSON.parse(readFileSync(cursor, 'utf8'))).sort(), ['ended', 'running']);
});

test('without --follow what ran in the time asked for is listed, as text or as JSON; before that there is nothing', async (t) => {
  const { start, run } = await setUp(t);
  const reporter = await start();
  await reporter.report(report(true));
  const list = async () => jsonLines((await run('--json')).stdout).filter(({ kind }) => kind === 'host');
  let found: Line[] = [];
  while (found.length === 0) found = await list();
  t.like(found[0], { event: 'began', host: '10.2.0.7:80' });
  const { code, stdout } = await run('--since', '15m');
  t.is(code, 0);
  t.regex(stdout, /^\S+Z began host 10\.2\.0\.7:80 of 4242\/17: overloaded, 1 of 1 callers$/m);
});

test('a reporter that cannot be asked is exit 3, a time that is none exit 2', async (t) => {
  const { start, run, cwd } = await setUp(t);
  const reporter = await start();
  while ((await run()).code !== 0);
  const none = await run();
  t.is(none.stdout, '');
  t.regex(none.stderr, /^no incident ran in this time \(--since 1h\)$/m);
  const wrong = await run('--since', 'yesterday');
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /since/);
  writeFileSync(path.join(cwd, 'other'), 'no cursor');
  t.is((await run('--cursor', 'other')).code, 2);
  await reporter.stop();
  const { code, stderr } = await run();
  t.is(code, 3);
  t.regex(stderr, /no reporter answers/);
});
