import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { PROBLEM_CODES } from '../../src/observe/problems.js';
import { anchorsOf } from '../deploy/files.js';
import { files } from '../support/sources.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');
const OPERATIONS = textOf('docs/operations.md');

/** What stands below a title of the third level. */
const sectionOf = (title: string) =>
  new RegExp(`^### ${title}\\n\\n([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, 'm').exec(OPERATIONS)?.[1];

for (const code of PROBLEM_CODES)
  test(`operations.md says of ${code} how much it matters, what it means, and what to do`, (t) => {
    const text = sectionOf(code);
    t.truthy(text, `### ${code}`);
    t.regex(text!, /^(Critical|Warning|Notice)\b/);
    t.regex(text!, /\*\*Do\*\*:\s\S/);
    t.true(text!.indexOf('**Do**') > 60, 'it says what it means first');
  });

test('whatever the program says to read in operations.md is there', (t) => {
  const anchors = anchorsOf(OPERATIONS);
  const links = files
    .filter((file) => file.startsWith('src/'))
    .flatMap((file) =>
      [...textOf(file).matchAll(/docs\/operations\.md#([a-z-]+)/g)].map(([, anchor = '']) => anchor),
    );
  t.true(links.length >= 3);
  for (const anchor of links) t.true(anchors.has(anchor), anchor);
});

test('links within the pages of docs lead somewhere', (t) => {
  for (const page of ['operations.md', 'guarantees.md', 'view.md', 'performance.md', 'reference.md'])
    for (const [, target = '', anchor = ''] of textOf(`docs/${page}`).matchAll(
      /\]\(([\w.-]*\.md)?#([^)]+)\)/g,
    )) {
      const anchors = anchorsOf(textOf(`docs/${target || page}`));
      t.true(anchors.has(anchor), `${page}: ${target}#${anchor}`);
    }
});

test('every finding of doctor stands in reference.md with its severity, and no other', (t) => {
  const inSource = new Map<string, string>();
  for (const file of files.filter((one) => /^src\/(cli\/doctor|store)\//.test(one)))
    for (const [, severity = '', code = ''] of textOf(file).matchAll(
      /\b(notice|warning|critical)\(\s*'([a-z-]+)'/g,
    ))
      inSource.set(code, severity);
  const [, table = ''] = /^## Findings of `doctor`\n([\s\S]*?)^## /m.exec(textOf('docs/reference.md')) ?? [];
  const inReference = new Map(
    [...table.matchAll(/^\| \w+ \| `([a-z-]+)` \| (\w+) \|/gm)].map(([, code = '', severity = '']) => [
      code,
      severity,
    ]),
  );
  t.true(inSource.size > 40);
  const sorted = (codes: ReadonlyMap<string, string>) =>
    [...codes].map(([code, severity]) => `${code} ${severity}`).sort();
  t.deepEqual(sorted(inReference), sorted(inSource));
});
