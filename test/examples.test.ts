import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

const EXAMPLES = readdirSync(`${ROOT}examples`)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

/** Those that are modules for others, with a test of their own beside them. */
const MODULES = ['own-store'];

/** What each of them says at its end. */
const SAYS: Readonly<Record<string, RegExp>> = {
  agents: /^5\d % of 4\d{4} reports say that the dead host is overloaded\n$/,
  'fault-injection':
    /^seed \d+\n200 keys at their last values after \d+ crashes and [1-9]\d* failed commits; the ledger balanced in every sample\n$/,
  restarts: /^60 keys, 3 of them dead letters, \d+ reconnects\n$/,
};

for (const name of EXAMPLES.filter((one) => !MODULES.includes(one))) {
  test(`the example ${name} does what it says`, async (t) => {
    const { stdout, stderr } = await run(process.execPath, [`${ROOT}dist/examples/${name}.js`], {
      timeout: 90_000,
    });
    t.is(stderr, '');
    t.regex(stdout, SAYS[name]!);
  });
}

for (const name of MODULES)
  test(`the example ${name} passes its test, with the test runner of Node`, async (t) => {
    const { stdout } = await run(process.execPath, ['--test', `${ROOT}dist/examples/${name}.test.js`], {
      timeout: 90_000,
    });
    t.regex(stdout, /^# pass 1\d$/m, stdout);
    t.regex(stdout, /^# fail 0$/m);
  });

test('a store of your own takes 40 lines, and what sorts its rows', (t) => {
  const source = readFileSync(`${ROOT}examples/own-store.ts`, 'utf8');
  const body = /^export class [\s\S]*?^}$/m.exec(source)![0];
  const lines = body.split('\n').filter((line) => !/^\s*(\/[*/].*)?$/.test(line));
  t.true(lines.length <= 40, `${lines.length}`);
});

test('the examples in docs/testing.md are parts of those that are run', (t) => {
  const sources = EXAMPLES.map((name) => flat(readFileSync(`${ROOT}examples/${name}.ts`, 'utf8')));
  const docs = readFileSync(`${ROOT}docs/testing.md`, 'utf8');
  const blocks = [...docs.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
  t.true(blocks.length >= 3);
  for (const block of blocks)
    t.true(
      sources.some((source) => source.includes(flat(block))),
      block,
    );
});
