import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const PAGES = [
  'README.md',
  'README.zh-CN.md',
  'CONTRIBUTING.md',
  'schema/README.md',
  'examples/larger-node/README.md',
  'tools/bench/README.md',
  ...readdirSync(path.join(PROJECT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');
const exists = (file: string) => existsSync(path.join(PROJECT, file));

/** Parts of a page that are in backticks and hold no placeholder (NAME, ROOM) and no pattern. */
function quoted(page: string): string[] {
  return [...textOf(page).matchAll(/`([^`\n]+)`/g)]
    .map(([, text = '']) => text)
    .filter((text) => !/NAME|ROOM|[*…]/.test(text));
}

/** What a page names and is not there. */
function missingOf(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)#]*)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => target !== '' && !exists(path.join(path.dirname(page), target)));
  const named = quoted(page).filter((text) => {
    if (/^(src|tools|examples|docs|proto|schema)\/[\w./-]+$/.test(text)) return !exists(text);
    // Tests are named without their ending.
    if (/^test\/[\w./-]+$/.test(text)) return !exists(text) && !exists(`${text}.test.ts`);
    return false;
  });
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const commands = [...textOf(page).matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !(name in scripts));
  return [...links, ...named, ...commands];
}

for (const page of PAGES)
  test(`files, links and npm scripts that ${page} names are there`, (t) => t.deepEqual(missingOf(page), []));

test('the public CI runs the command of the README', (t) => {
  const [, command = ''] = /^## Developing\n[\s\S]*?```sh\n([^\n]+)\n```/m.exec(textOf('README.md')) ?? [];
  t.is(command, 'npm ci && npm test');
  t.true(textOf('.github/workflows/ci.yml').includes(`- run: ${command}\n`));
});
