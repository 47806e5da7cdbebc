/** `npm run mutants`: breaks one guarantee after the other in a copy of the project; a test must notice each. */
import { setMaxListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sectionOf, withSection } from '../shared/markdown.js';
import { note, runTool } from '../shared/tool.js';
import { MUTANTS } from './list.js';
import type { Mutant } from './mutant.js';
import { chosen, type Options, parseOptions, USAGE } from './options.js';
import { documentedTable, jsonOf, resultOf, textTable } from './report.js';
import { Trial, type Verdict } from './trial.js';
import { Workshop } from './workshop.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    for (const { name, breaks } of MUTANTS) process.stdout.write(`  ${name}: ${breaks}\n`);
    return 0;
  }
  const mutants = chosen(MUTANTS, options.only);
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => ending.abort(new Error(`${name}: everything is ended`)));
  const workshop = new Workshop(PROJECT, ending.signal);
  try {
    return await tryAll(mutants, options, new Trial(workshop, ending.signal));
  } finally {
    workshop.remove();
  }
}

async function tryAll(mutants: readonly Mutant[], options: Options, trial: Trial): Promise<number> {
  const startedAt = new Date().toISOString();
  await trial.baseline(mutants, note);
  const verdicts: Verdict[] = [];
  for (const mutant of mutants) {
    const verdict = await trial.run(mutant);
    verdicts.push(verdict);
    note(`${mutant.name}: ${resultOf(verdict)} (${verdict.seconds.toFixed(0)} s)`);
  }
  process.stdout.write(`${textTable(verdicts)}\n`);
  if (options.docs) document(verdicts);
  if (options.json !== undefined) writeFileSync(options.json, jsonOf(verdicts, startedAt));
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
  for (const verdict of survivors)
    note(`${resultOf(verdict)} ${verdict.mutant.name}: ${verdict.problem ?? verdict.mutant.breaks}`);
  return survivors.length === 0 ? 0 : 1;
}

function document(verdicts: readonly Verdict[]): void {
  const file = path.join(PROJECT, 'docs/testing.md');
  const before = readFileSync(file, 'utf8');
  const table = documentedTable(MUTANTS, sectionOf(before, 'mutants'), verdicts);
  writeFileSync(file, withSection(before, 'mutants', table));
}

await runTool(main);
