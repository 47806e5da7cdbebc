import type { Mutant } from '../mutant.js';

/** Actors. */
export const RUNTIME_MUTANTS: readonly Mutant[] = [
  {
    name: 'resume-after-crash',
    breaks: 'A writer that crashes goes on with its old state, not with the state of its journal.',
    edits: [
      {
        file: 'src/runtime/actors.ts',
        find: 'return isStopped() ? context.stop : context.reset;',
        replace: 'return isStopped() ? context.stop : context.resume;',
      },
    ],
    tests: [
      { file: 'test/runtime/actors.test', titles: ['a persistent actor is rebuilt*'] },
      { file: 'test/faults/crashes.test', titles: ['*"after-persist"*'] },
    ],
  },
];
