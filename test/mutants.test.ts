import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { until } from '../src/testing/index.js';
import { MUTANTS, MUTANTS_BY_ROOM } from '../tools/mutants/list.js';
import { applied, ListError } from '../tools/mutants/mutant.js';
import { Workshop } from '../tools/mutants/workshop.js';
import { processesNaming } from '../tools/shared/procfs.js';
import { tempDir } from './support/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const RUN = fileURLToPath(new URL('../tools/mutants/run.js', import.meta.url));

const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');

test('every mutant changes what is there exactly once, and the tests that are to catch it exist', (t) => {
  for (const mutant of MUTANTS) {
    t.notThrows(() => {
      const texts = new Map<string, string>();
      for (const edit of mutant.edits) {
        const text = texts.get(edit.file) ?? textOf(edit.file);
        texts.set(edit.file, applied(text, mutant, edit));
        t.regex(edit.file, /^(src|deploy)\//, mutant.name);
      }
    });
    t.true(mutant.edits.length > 0 && mutant.tests.length > 0, mutant.name);
    for (const { file } of mutant.tests) t.true(existsSync(path.join(PROJECT, `${file}.ts`)), file);
  }
});

test('every mutant stands in the list of the room that it breaks', (t) => {
  for (const [room, mutants] of Object.entries(MUTANTS_BY_ROOM))
    for (const { name, edits } of mutants)
      t.true(edits[0]!.file.startsWith(room === 'deploy' ? 'deploy/' : `src/${room}/`), name);
});

test('every mutant compiles', async (t) => {
  t.timeout(120_000);
  const workshop = new Workshop(PROJECT, new AbortController().signal);
  t.teardown(() => workshop.remove());
  // All at once, for they stand in different places.
  for (const mutant of MUTANTS) workshop.change(mutant);
  await t.notThrowsAsync(workshop.compile('all mutants'));
});

test('every mutant has a name of its own', (t) => {
  const names = MUTANTS.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
});

test('a fragment that is not there, or there twice, is told with its mutant and its file', (t) => {
  const mutant = { name: 'odd', breaks: '', edits: [], tests: [] };
  for (const [text, times] of [
    ['b', 0],
    ['a a', 2],
  ] as const)
    t.throws(() => applied(text, mutant, { file: 'src/a.ts', find: 'a', replace: 'b' }), {
      instanceOf: ListError,
      message: `odd: its fragment stands ${times} times in src/a.ts, it must be there once: "a"`,
    });
  t.is(applied('$a', mutant, { file: 'src/a.ts', find: 'a', replace: '$&' }), '$$&');
});

test('a broken guarantee is caught by the test that states it, and nothing is left over', async (t) => {
  t.timeout(120_000);
  const dir = path.join(tempDir(t), 't');
  mkdirSync(dir);
  const json = path.join(tempDir(t), 'mutants.json');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [RUN, '--only', 'counters-wrap', '--json', json],
    { env: { ...process.env, TMPDIR: dir } },
  );
  const title = 'counters that do not fit the table are stored as its largest number, and counted';
  t.true(stdout.includes(title));
  const [caught] = (JSON.parse(readFileSync(json, 'utf8')) as { mutants: readonly object[] }).mutants;
  t.like(caught, {
    name: 'counters-wrap',
    result: 'caught',
    caughtBy: [{ file: 'test/wire/messages.test', title }],
  });
  t.deepEqual(readdirSync(dir), []);
});

test('an interrupted run ends everything that it began', async (t) => {
  t.timeout(120_000);
  const dir = path.join(tempDir(t), 't');
  mkdirSync(dir);
  const child = spawn(process.execPath, [RUN, '--only', 'counters-wrap'], {
    env: { ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const isTesting = () => processesNaming(dir).length > 0;
  await until(isTesting, { boundMs: 60_000, what: 'the first tests to run' });
  child.kill('SIGINT');
  t.is(await ended, 1);
  t.deepEqual(readdirSync(dir), []);
  await until(() => !isTesting(), { boundMs: 5000, what: 'what it began to end' });
});

for (const [args, message] of [
  [['--only', 'no-fence,nonsense'], '--only nonsense is no mutant; --help lists those there are\n'],
  [['--only', ''], '--only  is no mutant; --help lists those there are\n'],
  [['--loud'], "Unknown option '--loud'; --help lists the options\n"],
] as const)
  test(`wrong usage is told in one line, with exit code 2: ${args.join(' ')}`, async (t) => {
    const error = await t.throwsAsync(promisify(execFile)(process.execPath, [RUN, ...args]));
    t.like(error, { code: 2, stderr: message, stdout: '' });
  });

test('--help lists the options and the mutants', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--help']);
  for (const word of ['--only', '--json', '--docs', ...MUTANTS.map(({ name }) => name)])
    t.true(stdout.includes(word), word);
});
