import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { describeConfig } from '../../src/config/index.js';
import { zh } from '../../src/page/texts/zh.js';
import { inChinese } from '../../tools/docs/config-zh.js';
import { ToolError } from '../../tools/shared/tool.js';
import { ASPECTS, pairs, textOf, wordsOf } from './translation.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const readmeOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');
const ENGLISH = readmeOf('README.md');
const CHINESE = readmeOf('README.zh-CN.md');

for (const [aspect, differencesOf] of Object.entries(ASPECTS))
  test(`README.zh-CN.md has what README.md has: ${aspect}`, (t) =>
    t.deepEqual(differencesOf(ENGLISH, CHINESE), []));

test('each README leads to the other in its first lines', (t) => {
  const startOf = (page: string) => page.split('\n').slice(0, 3).join('\n');
  t.true(startOf(ENGLISH).includes('](README.zh-CN.md)'));
  t.true(startOf(CHINESE).includes('](README.md)'));
});

test('nothing in README.zh-CN.md was left in English', (t) => {
  const isProse = (text: string) => /[A-Za-z]{2,} [a-z]{2,}/.test(wordsOf(text));
  const left = pairs(ENGLISH, CHINESE).flatMap(([here, there]) =>
    [...here.prose, ...here.rows.flat()].filter(isProse).filter((text) => textOf(there).includes(text)),
  );
  t.deepEqual(left, []);
  const withoutHan = pairs(CHINESE, CHINESE).flatMap(([{ prose, rows }]) =>
    [...prose, ...rows.map((cells) => cells.at(-1) ?? '')].filter(
      (text) => /[a-z]{2,}/.test(wordsOf(text)) && !/\p{Script=Han}/u.test(text),
    ),
  );
  // The last line has names of files alone.
  t.deepEqual(
    withoutHan.filter((text) => !text.startsWith('[CONTRIBUTING.md]')),
    [],
  );
});

/** What the page of the reporter calls things that the README speaks of. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\boverload(ed)?\b/i, zh.level.overloaded],
  [/\breporters?\b/i, zh.nav.reporter],
  [/\bservices?\b/i, zh.overview.title],
  [/\bagents?\b/i, zh.reporter.agents],
  [/\bcallers?\b/i, zh.nav.callers],
  [/\bhosts\b/i, zh.nav.hosts],
  [/\bwriters?\b/i, zh.reporter.writers],
  [/\bjournal\b/i, zh.reporter.writerColumns.journal],
  [/\bpending\b/i, zh.reporter.ledgerNames.pending],
  [/\bdead letters?\b/i, zh.reporter.letters],
  [/\bincidents?\b/i, zh.service.incidents],
  [/\breplay(s|ed)?\b/i, zh.reporter.replay],
  [/\bchanged?\b(?=,| (and|of))/i, zh.changes.title],
  [/\blive view\b/i, zh.reporter.view],
];

test('README.zh-CN.md and the page of the reporter have one word for one thing', (t) => {
  const found = new Set<string>();
  for (const [here, there] of pairs(ENGLISH, CHINESE))
    for (const [english, chinese] of WORDS) {
      if (!english.test(wordsOf(textOf(here)))) continue;
      found.add(chinese);
      t.true(textOf(there).includes(chinese), `${here.title}: ${english} is ${chinese}`);
    }
  t.is(found.size, WORDS.length, 'each word is looked at somewhere');
  const meaningOf = (key: string) => inChinese(describeConfig()).find((one) => one.key === key)!.description;
  t.true(meaningOf('view.errorShare').includes(zh.level.failing));
  t.true(meaningOf('supervision.maxRestarts').includes(zh.reporter.writerState.failing));
});

const PAGE = [
  '# Name',
  'Text of `a`, 20 s at most: [more](docs/a.md).',
  '',
  '- an element',
  '',
  '```sh',
  'npm test',
  '```',
  '',
  '## Options',
  '| key | default |',
  '| --- | --- |',
  '| `a` | 10 of `b` |',
  '| `c` | `d` |',
  '',
].join('\n');

test('a page that is whole has no differences', (t) => {
  for (const differencesOf of Object.values(ASPECTS)) t.deepEqual(differencesOf(PAGE, PAGE), []);
});

for (const [what, from, to, told] of [
  ['title', '## Options\n', '', 'not at the same level: ## Options'],
  ['level of a title', '## Options', '### Options', 'not at the same level: ## Options'],
  ['option of a command', 'npm test', 'npm start', '# Name: the translation lacks ```sh\nnpm test\n```'],
  ['target of a link', 'docs/a.md', 'docs/b.md', '# Name: the translation lacks docs/a.md'],
  ['element of a list', '- an element\n\n', '', '# Name: the translation lacks an element'],
  ['name', 'Text of `a`', 'Text', '# Name: the translation lacks `a`'],
  ['number', '20 s', '30 s', '# Name: the translation lacks 20'],
  ['line of a table', '| `c` | `d` |\n', '', '## Options: the translation lacks `c`'],
  ['first cell', '| `c` |', '| `C` |', '## Options: the translation lacks `c`'],
  ['default that is code', '| `d` |', '| `e` |', '## Options, `c`, column 2: the translation lacks `d`'],
  ['default that is a number', '10 of', '11 of', '## Options, `a`, column 2: the translation lacks 10'],
] as const)
  test(`what a translation lacks is named: ${what}`, (t) => {
    const translation = PAGE.replace(from, to);
    t.not(translation, PAGE);
    const differences = Object.values(ASPECTS).flatMap((differencesOf) => differencesOf(PAGE, translation));
    t.true(differences.includes(told), differences.join('\n'));
  });

test('a translation that says more than the page is told, too', (t) => {
  const differences = ASPECTS['names in backticks']!(PAGE, PAGE.replace('Text', '`z`'));
  t.deepEqual(differences, ['# Name: only the translation has `z`']);
});

test('keys of the configuration without a Chinese meaning, and meanings of no key, are told by name', (t) => {
  const [first, ...others] = describeConfig();
  const strange = { ...first!, key: 'listen.more', default: undefined, unset: 'by chance' };
  const { message } = t.throws(() => inChinese([...others, strange]), { instanceOf: ToolError });
  t.is(
    message,
    'put into Chinese in tools/docs/config-zh.ts: listen.more has no meaning; "by chance" of listen.more; ' +
      'listen.host has a meaning and is no key',
  );
});
