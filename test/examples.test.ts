import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

const EXAMPLES = readdirSync(`${ROOT}examples`)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

/** What each of them says at its end. */
const SAYS: Readonly<Record<string, RegExp>> = {
  agents: /^5\d % of 4\d{4} reports say that the dead host is overloaded\n$/,
  'fault-injection':
    /^seed \d+\n200 keys at their last values after \d+ crashes and [1-9]\d* failed commits; the ledger balanced in every sample\n$/,
  restarts: /^60 keys, 3 of them dead letters, \d+ reconnects\n$/,
};

for (const name of EXAMPLES) {
  test(`the example ${name} does what it says`, async (t) => {
    const { stdout, stderr } = await run(process.execPath, [`${ROOT}dist/examples/${name}.js`], {
      timeout: 90_000,
    });
    t.is(stderr, '');
    t.regex(stdout, SAYS[name]!);
  });
}

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
