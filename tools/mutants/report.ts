import { alignedTable } from '../../src/cli/text-table.js';
import type { Verdict } from './trial.js';

/** In one word or two. */
export function resultOf({ caughtBy, isTimedOut, problem }: Verdict): string {
  if (problem !== undefined) return 'NOT TRIED';
  if (caughtBy.length === 0) return 'SURVIVED';
  return isTimedOut ? 'timed out' : 'caught';
}

const shortFile = (file: string) => file.replace(/\.test$/, '');

/** For terminals: the first test that caught it, and how many more did. */
export function textTable(verdicts: readonly Verdict[]): string {
  return alignedTable(
    ['mutant', 'result', 's', 'by'],
    verdicts.map((verdict) => {
      const [first, ...more] = verdict.caughtBy;
      const by = first
        ? `${shortFile(first.file)}: ${first.title}${more.length > 0 ? ` (and ${more.length} more)` : ''}`
        : (verdict.problem ?? verdict.otherFailures.join('; '));
      return [verdict.mutant.name, resultOf(verdict), Math.round(verdict.seconds), by];
    }),
  );
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** As in docs/testing.md, with every test that caught it. */
export function markdownTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { mutant, caughtBy, isTimedOut } = verdict;
    const files = [...new Set(caughtBy.map(({ file }) => file))];
    const by = files.map((file) => {
      const titles = caughtBy.filter((one) => one.file === file).map(({ title }) => `“${title}”`);
      return `\`${shortFile(file)}\`: ${titles.join(', ')}`;
    });
    const bound = isTimedOut ? ' (timed out)' : '';
    return `| \`${mutant.name}\` | ${cell(mutant.breaks)} | ${by.length > 0 ? cell(by.join('; ')) + bound : resultOf(verdict)} |`;
  });
  return ['| mutant | what it breaks | caught by |', '| --- | --- | --- |', ...rows].join('\n');
}

/** For programs. */
export function jsonOf(verdicts: readonly Verdict[], startedAt: string): string {
  const mutants = verdicts.map((verdict) => ({
    name: verdict.mutant.name,
    breaks: verdict.mutant.breaks,
    edits: verdict.mutant.edits,
    result: resultOf(verdict).toLowerCase(),
    caughtBy: verdict.caughtBy,
    otherFailures: verdict.otherFailures,
    ...(verdict.problem === undefined ? {} : { problem: verdict.problem }),
    seconds: Number(verdict.seconds.toFixed(1)),
  }));
  return `${JSON.stringify({ startedAt, node: process.version, mutants }, null, 2)}\n`;
}
