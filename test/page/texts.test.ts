import test from 'ava';
import { PROBLEM_CODES } from '../../src/observe/problems.js';
import { chooseLanguage, LANGUAGES } from '../../src/page/texts/languages.js';
import { PROBLEM_CODES as TOLD } from '../../src/page/texts/texts.js';

/** Every text of a catalogue by its path; functions are called with what they take: numbers that are written out. */
function flat(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, written(value as (...values: unknown[]) => unknown)]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => flat(each, `${path}.${name}`));
}

const NUMBERS = {
  hosts: { total: 7, overloaded: 3, disputed: 2, failing: 2, noted: 1, withdrawn: 0, stale: 0 },
  callers: { fresh: 20, affected: 17, blackedOut: 2, silent: 1 },
  calls: { perSecond: 1, errorsPerSecond: 0.2, errorShare: 0.2, windowS: 60 },
};

function written(text: (...values: unknown[]) => unknown): string {
  return text.name === 'reason'
    ? String(text('hosts-overloaded', NUMBERS, '3 of 7 hosts overloaded'))
    : String(text(3, 7, '9'));
}

/** Written alike in all languages. */
const ALIKE = /\.(locale|language|of|overview\.agree|overview\.shown|callers\.agreeWith)$|\.keys\.\d+\.0$/;

test('every text is there in every language', (t) => {
  const [first, ...others] = Object.values(LANGUAGES).map((texts) => flat(texts));
  t.true(first!.length > 250);
  for (const other of others)
    t.deepEqual(other.map(([path]) => path).sort(), first!.map(([path]) => path).sort());
  for (const texts of [first!, ...others]) for (const [path, text] of texts) t.true(text.trim() !== '', path);
});

test('no text was left in English', (t) => {
  const english = new Map(flat(LANGUAGES.en));
  const same = flat(LANGUAGES.zh).filter(([path, text]) => english.get(path) === text && !ALIKE.test(path));
  t.deepEqual(same, []);
  const latin = flat(LANGUAGES.zh).filter(
    ([path, text]) => !/\p{Script=Han}/u.test(text) && !ALIKE.test(path) && !/keys/.test(path),
  );
  t.deepEqual(latin, []);
});

test('every reason and every problem has its words', (t) => {
  const { reason } = LANGUAGES.zh;
  for (const code of [
    'blackout',
    'all-hosts',
    'hosts-overloaded',
    'hosts-disputed',
    'hosts-failing',
    'errors',
    'hosts-noted',
    'silent',
  ] as const)
    t.regex(reason(code, { ...NUMBERS, calls: { ...NUMBERS.calls, windowS: 60 } }, 'x'), /\p{Script=Han}/u);
  for (const code of PROBLEM_CODES) t.true((TOLD as readonly string[]).includes(code), code);
});

test('the address chooses the language, else the browser, else it is English', (t) => {
  t.is(chooseLanguage('zh', ['en-US']), 'zh');
  t.is(chooseLanguage(undefined, ['fr-FR', 'zh-TW', 'en']), 'zh');
  t.is(chooseLanguage(undefined, ['fr']), 'en');
  t.is(chooseLanguage('tlh', []), 'en');
});
