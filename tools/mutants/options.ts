import { optionsOf, UsageError } from '../shared/tool.js';
import type { Mutant } from './mutant.js';

export const USAGE = `npm run mutants -- [options]
  --only NAMES   only these mutants, e.g. no-fence,no-bisect
  --json FILE    writes what came of each
  --docs         writes what came of each into the table of docs/testing.md
  --help         prints this, and the names
`;

export interface Options {
  readonly only: readonly string[] | undefined;
  readonly json: string | undefined;
  readonly docs: boolean;
  readonly help: boolean;
}

/** Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const { only, json, docs, help } = optionsOf(args, {
    only: { type: 'string' },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return { only: only?.split(',').map((name) => name.trim()), json, docs, help };
}

/** The mutants that are named; all when none is. Throws UsageError when there is no such mutant. */
export function chosen(mutants: readonly Mutant[], only: readonly string[] | undefined): readonly Mutant[] {
  const unknown = only?.find((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown !== undefined)
    throw new UsageError(`--only ${unknown} is no mutant; --help lists those there are`);
  return mutants.filter(({ name }) => only?.includes(name) ?? true);
}
