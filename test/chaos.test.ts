import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { until } from '../src/testing/index.js';
import { processesNaming } from '../tools/shared/procfs.js';
import { tempDir } from './support/temp.js';

const RUN = fileURLToPath(new URL('../tools/chaos/run.js', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  /** Where it keeps everything: short, for the sake of the database's socket. */
  readonly dir: string;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(t: ExecutionContext, args: readonly string[]): Run {
  const dir = path.join(tempDir(t), 't');
  mkdirSync(dir);
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { ...process.env, TMPDIR: dir },
    // A process group of its own, as a terminal gives it one.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  const take = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, dir, output: () => output, ended };
}

test.serial(
  'with faults of every kind, in random order and overlapping, every key ends at its last journaled value, and nothing is left over',
  async (t) => {
    t.timeout(170_000);
    const seed = process.env['LARS_TEST_SEED'] ?? '20261122';
    t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
    const { ended, output, dir } = start(t, ['--short', '--seed', seed]);
    const code = await ended;
    if (code !== 0) t.log(output());
    t.is(code, 0);
    t.true(output().startsWith(`seed ${seed}\n`));
    const [, kinds] = /(\d+) kinds of faults/.exec(output())!;
    const [, faults = ''] = /^faults\n((?: {2}.*\n)+)/m.exec(output()) ?? [];
    t.is(faults.trimEnd().split('\n').length, Number(kinds), `every kind came: ${faults}`);
    t.regex(output(), /^ +[\d.]+ {2}= the end: \d+ keys looked at, exact/m);
    t.regex(output(), /^violations 0$/m);
    t.deepEqual(readdirSync(dir), []);
    t.deepEqual(processesNaming(dir), []);
  },
);

test.serial('an interrupted run ends everything that it began', async (t) => {
  const { child, ended, output, dir } = start(t, ['--minutes', '5', '--seed', '1']);
  await until(() => output().includes('wave 1'), { boundMs: 60_000, what: 'the first wave' });
  t.true(readdirSync(dir).length > 0);
  t.not(processesNaming(dir).length, 0);
  // All that it has started are interrupted with it.
  process.kill(-child.pid!, 'SIGINT');
  t.is(await ended, 1);
  t.deepEqual(readdirSync(dir), []);
  t.deepEqual(processesNaming(dir), []);
});

for (const [args, message] of [
  [['--minutes', 'x'], '--minutes x: takes a number from 0.1 to 10000\n'],
  [['--seed', '1.5'], '--seed 1.5: takes a whole number from 0 to 4294967295\n'],
  [['--short', '--minutes', '1'], '--minutes and --short contradict each other: leave one out\n'],
  [['--loud'], "Unknown option '--loud'; --help lists the options\n"],
] as const)
  test(`wrong usage is told in one line, with exit code 2: ${args.join(' ')}`, async (t) => {
    const error = await t.throwsAsync(promisify(execFile)(process.execPath, [RUN, ...args]));
    t.like(error, { code: 2, stderr: message, stdout: '' });
  });

test('--help lists the options', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--help']);
  for (const option of ['--minutes', '--seed', '--short']) t.true(stdout.includes(option));
});
