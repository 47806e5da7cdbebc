import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { describeConfig } from '../../src/config/index.js';
import { sectionOf } from '../../tools/shared/markdown.js';
import { PROJECT } from '../support/sources.js';

/** What docs/compatibility.md promises, by kind. Names are added when a version is released, and never taken away. */
type Promised = Readonly<Record<string, readonly string[]>>;

const textOf = (file: string) => readFileSync(path.join(PROJECT, file), 'utf8');
const promised = JSON.parse(textOf('test/package/stable.json')) as Promised;

/** Exported names: docs/api is generated from them, and held to be current. */
const exportsOf = (page: string) =>
  [...textOf(`docs/api/${page}.md`).matchAll(/^### (\w+)/gm)].map(([, name]) => name!);
/** First cells of a table of docs/reference.md. */
const cellsOf = (section: string) =>
  [...sectionOf(textOf('docs/reference.md'), section).matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!);

const THERE: Promised = {
  'lars-reporter': exportsOf('lars-reporter'),
  'lars-reporter/client': exportsOf('lars-reporter/client'),
  'lars-reporter/testing': exportsOf('lars-reporter/testing'),
  'lars-reporter/wire': exportsOf('lars-reporter/wire'),
  configuration: describeConfig().map(({ key }) => key),
  variables: describeConfig().map(({ env }) => env),
  metrics: [...cellsOf('metrics'), ...cellsOf('service-metrics')],
  events: cellsOf('events'),
  errors: [...cellsOf('error-codes'), ...cellsOf('store-error-classes')],
};

for (const [kind, names] of Object.entries(THERE))
  test(`nothing is gone that was promised: ${kind}; otherwise it needs a major version`, (t) => {
    t.true(names.length > 0);
    const gone = promised[kind]!.filter((name) => !names.includes(name));
    t.deepEqual(gone, []);
  });

test('the versions of Node that the documentation names are those of package.json', (t) => {
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  t.is(engines.node, '>=20.19');
  const table = /## Node\n([\s\S]*?)\n## /.exec(textOf('docs/compatibility.md'))![1]!;
  for (const version of ['20.19', '22', '24'])
    t.regex(table, new RegExp(`^\\| ${version}[^|]*\\| yes`, 'm'), version);
});
