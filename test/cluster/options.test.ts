import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const RUN = fileURLToPath(new URL('../../tools/schedules/run.js', import.meta.url));

test('a run of schedules says its seed first and what it has seen last', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    RUN,
    '--count',
    '20',
    '--seed',
    '5',
  ]);
  t.is(stderr.split('\n')[0], 'seed 5');
  t.regex(stdout, /^20 schedules from seed 5 broke no promise: \d+ a second/);
});

test('wrong usage is one line that names the option, its value and what it takes, and exit code 2', async (t) => {
  const error = await t.throwsAsync(promisify(execFile)(process.execPath, [RUN, '--count', '0']));
  t.like(error, { code: 2, stderr: '--count 0: takes a whole number from 1 to 1000000000\n', stdout: '' });
});
