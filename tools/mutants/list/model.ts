import type { Mutant } from '../mutant.js';

/** What all rooms stand on. */
export const MODEL_MUTANTS: readonly Mutant[] = [
  {
    name: 'secret-for-all',
    breaks: 'A file of a secret that every user may read is taken.',
    edits: [
      {
        file: 'src/model/private-file.ts',
        find: '(stat.mode & OTHERS) !== 0',
        replace: '(stat.mode & OTHERS) === OTHERS',
      },
    ],
    tests: [{ file: 'test/config/secret-files.test', titles: ['a file that every user*'] }],
  },
];
