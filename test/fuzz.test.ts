import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const RUN = fileURLToPath(new URL('../tools/fuzz/run.js', import.meta.url));

function fuzz(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

for (const [target, runs] of [
  ['decoder', '2000'],
  ['service', '100'],
  ['proxy', '3000'],
  ['tls', '100'],
] as const) {
  test(`a fuzz run of the ${target} says its seed first and what it has seen last`, async (t) => {
    const { code, stdout, stderr } = await fuzz('--target', target, '--runs', runs, '--seed', '5');
    t.is(code, 0, stdout);
    t.is(stderr.split('\n')[0], 'seed 5');
    t.true(stdout.startsWith(`${runs} streams `), stdout);
  });
}

test('wrong usage is one line that names the option, its value and what it takes, and exit code 2', async (t) => {
  for (const [args, line] of [
    [['--runs', 'many'], '--runs many: takes a whole number from 1 to 1000000000'],
    [['--seed', '1.5'], '--seed 1.5: takes a whole number from -2147483648 to 2147483647'],
    [['--target', 'moon'], '--target moon: takes decoder, service, proxy, tls'],
  ] as const) {
    const { code, stdout, stderr } = await fuzz(...args);
    t.deepEqual([code, stdout, stderr.split('\n')[0]], [2, '', line]);
  }
  t.is((await fuzz('--unknown')).code, 2);
});
