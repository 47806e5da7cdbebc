import { FLOW_MUTANTS } from './list/flow.js';
import { JOURNAL_MUTANTS } from './list/journal.js';
import { OUTSIDE_MUTANTS } from './list/outside.js';
import { PENDING_MUTANTS } from './list/pending.js';
import type { Mutant } from './mutant.js';

/** All mutants. */
export const MUTANTS: readonly Mutant[] = [
  ...OUTSIDE_MUTANTS,
  ...FLOW_MUTANTS,
  ...PENDING_MUTANTS,
  ...JOURNAL_MUTANTS,
];
