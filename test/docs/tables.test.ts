import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { EXIT_DONE, EXIT_FAILED, EXIT_UNASKED, EXIT_USAGE } from '../../src/cli/terminal.js';
import { describeConfig } from '../../src/config/index.js';
import { ReporterError } from '../../src/index.js';
import type { EventType } from '../../src/observe/events.js';
import { alternativesOf, membersOf } from '../../tools/docs/declarations.js';
import { TABLES } from '../../tools/docs/tables.js';
import { MUTANTS } from '../../tools/mutants/list.js';
import { sectionOf, withSection } from '../../tools/shared/markdown.js';
import { ToolError } from '../../tools/shared/tool.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');

for (const { section, file, script, content } of TABLES)
  test(`the table "${section}" of ${file} is up to date; otherwise: npm run docs:${script}`, async (t) => {
    const markdown = textOf(file);
    t.is(withSection(markdown, section, await content(PROJECT, markdown)), markdown);
  });

test('every npm script of a table is there', (t) => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  for (const { script } of TABLES) t.true(`docs:${script}` in scripts, script);
});

test('what operators match on stands in the reference: error codes, events, metrics, exit codes', (t) => {
  const reference = textOf('docs/reference.md');
  const codes = ['CONFIG_INVALID', 'JOURNAL_IN_USE', 'LISTEN_FAILED'] as const;
  for (const code of codes) t.true(reference.includes(`\`${new ReporterError(code, '').code}\``), code);
  const events: readonly EventType[] = ['listening', 'connection-closed', 'writer-crashed', 'dead-letter'];
  for (const event of events) t.regex(reference, new RegExp(`^\\| \`${event}\` \\|`, 'm'), event);
  for (const metric of ['rows_received_total', 'store_errors_total', 'flush_seconds'])
    t.true(reference.includes(`\`lars_reporter_${metric}\``), metric);
  for (const code of [EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_UNASKED])
    t.regex(reference, new RegExp(`^\\| ${code} \\|`, 'm'), String(code));
});

test('every code, class and event of the reference says what it means', (t) => {
  for (const section of ['error-codes', 'store-error-classes', 'events', 'metrics'])
    t.notRegex(sectionOf(textOf('docs/reference.md'), section), /^\| `[^`]+` \|\s*\|/m, section);
});

test('every key of the configuration stands in the README with its environment variable', (t) => {
  const table = sectionOf(textOf('README.md'), 'config');
  for (const { key, env } of describeConfig()) t.true(table.includes(`| \`${key}\` | \`${env}\` |`), key);
});

test('every mutant stands in docs/testing.md with what it breaks, and was caught when it was last tried', (t) => {
  const table = sectionOf(textOf('docs/testing.md'), 'mutants');
  for (const { name, breaks } of MUTANTS) t.true(table.includes(`| \`${name}\` | ${breaks} |`), name);
  t.is([...table.matchAll(/^\| `/gm)].length, MUTANTS.length);
  const open = table.split('\n').filter((line) => /\| (SURVIVED|NOT TRIED) \|$/.test(line));
  t.deepEqual(open, [], 'npm run mutants -- --only NAME --docs');
});

test('declarations are read with their comments, also those of several lines; comments inside are left out', (t) => {
  const source = [
    'export type Code =',
    '  /** The first. */',
    "  | 'ONE'",
    '  /**',
    '   * The second,',
    '   * at length.',
    '   */',
    "  | 'TWO';",
    '',
    'export interface Map {',
    '  /** Plain. */',
    "  'a-b': { readonly x: number };",
    '  c: {',
    '    /** Inside. */',
    '    readonly y: number;',
    '  };',
    '}',
    '',
  ].join('\n');
  const codes = alternativesOf(source, 'Code').map(({ name, comment }) => [name, comment]);
  t.deepEqual(codes, [
    ['ONE', 'The first.'],
    ['TWO', 'The second, at length.'],
  ]);
  const members = membersOf(source, 'Map').map(({ name, comment }) => [name, comment]);
  t.deepEqual(members, [
    ['a-b', 'Plain.'],
    ['c', ''],
  ]);
  t.throws(() => membersOf(source, 'Code'), { instanceOf: ToolError });
});

test('a section without its markers is told', (t) => {
  t.throws(() => sectionOf('<!-- a:begin --> x', 'a'), { instanceOf: ToolError });
  t.is(sectionOf('<!-- a:begin -->\nx\n<!-- a:end -->', 'a'), 'x');
});
