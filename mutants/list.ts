import { ACTOR_MUTANTS } from './list/actors.js';
import { JOURNAL_MUTANTS } from './list/journal.js';
import { OUTSIDE_MUTANTS } from './list/outside.js';
import { PENDING_MUTANTS } from './list/pending.js';
import type { Mutant } from './mutant.js';

/** All mutants. */
export const MUTANTS: readonly Mutant[] = [
  ...OUTSIDE_MUTANTS,
  ...ACTOR_MUTANTS,
  ...PENDING_MUTANTS,
  ...JOURNAL_MUTANTS,
];
