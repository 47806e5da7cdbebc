import type { Mutant } from '../mutant.js';

/** Commands. */
export const CLI_MUTANTS: readonly Mutant[] = [
  {
    name: 'log-waits',
    breaks: 'A terminal that nobody reads stops the service that logs on it.',
    edits: [
      {
        file: 'src/cli/outlet.ts',
        find: 'constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY',
        replace: 'constants.O_WRONLY | constants.O_NOCTTY',
      },
    ],
    tests: [{ file: 'test/cli/outlet.test', titles: ['a terminal that nobody reads*'] }],
  },
];
