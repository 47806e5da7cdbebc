import { alignedTable } from '../../src/cli/text-table.js';
import { cell, markdownTable } from '../shared/markdown.js';
import type { Mutant } from './mutant.js';
import type { Verdict } from './trial.js';

const NOT_TRIED = 'NOT TRIED';

/** In one word or two. */
export function resultOf({ caughtBy, isTimedOut, problem }: Verdict): string {
  if (problem !== undefined) return NOT_TRIED;
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

/** The tests that caught a mutant, for the table of docs/testing.md. */
function caughtText({ caughtBy, isTimedOut }: Verdict): string {
  const files = [...new Set(caughtBy.map(({ file }) => file))];
  const by = files.map((file) => {
    const titles = caughtBy.filter((one) => one.file === file).map(({ title }) => `“${title}”`);
    return `\`${shortFile(file)}\`: ${titles.join(', ')}`;
  });
  return cell(by.join('; ')) + (isTimedOut ? ' (timed out)' : '');
}

/**
 * The table of docs/testing.md: of each mutant what it breaks, and every test that caught it. A mutant without a
 * verdict keeps what `table`, the one that is there, holds of it.
 */
export function documentedTable(
  mutants: readonly Mutant[],
  table: string,
  verdicts: readonly Verdict[] = [],
): string {
  const known = new Map(
    [...table.matchAll(/^\| `([^`]+)` \| .* \| (.*) \|$/gm)].map(([, name = '', by = '']) => [name, by]),
  );
  for (const verdict of verdicts) {
    const { mutant, caughtBy } = verdict;
    known.set(mutant.name, caughtBy.length > 0 ? caughtText(verdict) : resultOf(verdict));
  }
  return markdownTable(
    ['mutant', 'what it breaks', 'caught by'],
    mutants.map(({ name, breaks }) => [`\`${name}\``, cell(breaks), known.get(name) ?? NOT_TRIED]),
  );
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
