import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startReporter } from '../../src/index.js';
import { RowBatch } from '../../src/model/row.js';
import { serviceSeries } from '../../src/view/query/service-series.js';
import { View } from '../../src/view/view.js';
import { cell, markdownTable } from '../shared/markdown.js';
import { alternativesOf, type Declared, membersOf } from './declarations.js';

/** The table of error codes. `project`: its folder. */
export function errorCodes(project: string): string {
  return tableOf('code', alternativesOf(sourceIn(project, 'src/model/errors.ts'), 'ReporterErrorCode'));
}

/** The table of classes of a store's failures. */
export function storeErrorClasses(project: string): string {
  const source = sourceIn(project, 'src/model/errors.ts');
  const [comment = ''] = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport type StoreErrorClass/.exec(source) ?? [];
  const text = comment.replaceAll(/\s*\n \* {3}(?! )/g, ' ');
  const rows = [...text.matchAll(/^ \* - (`[\w-]+`): (.*)$/gm)].map(([, name = '', meaning = '']) => [
    name,
    cell(meaning),
  ]);
  return markdownTable(['class', 'what the writer does'], rows);
}

/** The table of events, with the fields of each. */
export function events(project: string): string {
  const all = membersOf(sourceIn(project, 'src/observe/events.ts'), 'EventMap');
  const fieldsOf = ({ text }: Declared) =>
    [...new Set([...text.matchAll(/readonly (\w+)\??:/g)].map(([, field]) => `\`${field}\``))].join(', ');
  return markdownTable(
    ['event', 'meaning', 'fields'],
    all.map((one) => [`\`${one.name}\``, cell(one.comment), fieldsOf(one)]),
  );
}

/** The table of metrics, as a reporter that has just started shows them. */
export async function metrics(): Promise<string> {
  return metricsIn(await scrape());
}

/** The table of the series of a service. */
export function serviceMetrics(): string {
  const view = new View({ startS: 1, nameOf: () => 'live list' });
  const row = {
    ...{ modid: 4242, cmdid: 17, ip: 1, port: 80, caller: 2 },
    succ: 1,
    err: 0,
    ts: 1,
    overload: false,
  };
  view.live(RowBatch.from([row]).words, [], 1);
  view.tick(1);
  return metricsIn(serviceSeries(view));
}

function metricsIn(text: string): string {
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name = '', help = '', type = '']) => [`\`${name}\``, type, cell(help), labelsOf(text, name)],
  );
  return markdownTable(['metric', 'type', 'meaning', 'labels'], rows);
}

/** Their values are others on each machine. */
const OF_THE_BUILD = new Set(['version', 'node']);

/** Names and values of a metric's labels. */
function labelsOf(text: string, name: string): string {
  const labels = new Map<string, string[]>();
  for (const [, all = ''] of text.matchAll(new RegExp(`^${name}\\{(.*)\\} `, 'gm')))
    for (const [, label = '', value = ''] of all.matchAll(/(\w+)="([^"]*)"/g))
      labels.set(label, OF_THE_BUILD.has(label) ? [] : [...(labels.get(label) ?? []), `\`${value}\``]);
  return [...labels]
    .map(([label, values]) => (values.length > 0 ? `${label}: ${values.join(', ')}` : label))
    .join('; ');
}

async function scrape(): Promise<string> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-docs-'));
  const reporter = await startReporter({
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    writers: { count: 1 },
    journal: { dir: path.join(dir, 'journal') },
    store: { url: `embedded:${path.join(dir, 'store')}` },
  });
  try {
    const { host, port } = reporter.admin!;
    return await (await fetch(`http://${host}:${port}/metrics`)).text();
  } finally {
    await reporter.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function tableOf(what: string, all: readonly Declared[]): string {
  return markdownTable(
    [what, 'meaning'],
    all.map(({ name, comment }) => [`\`${name}\``, cell(comment)]),
  );
}

function sourceIn(project: string, file: string): string {
  return readFileSync(path.join(project, file), 'utf8');
}
