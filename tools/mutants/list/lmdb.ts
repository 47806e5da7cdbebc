import type { Mutant } from '../mutant.js';

/** Data files and their room. */
export const LMDB_MUTANTS: readonly Mutant[] = [
  {
    name: 'cut-off-file-opened',
    breaks:
      'A data file that is cut off, of the journal or of the embedded store, is opened, and ends the process.',
    edits: [{ file: 'src/lmdb/open-environment.ts', find: 'checkDataFile(dataFileOf(dir));', replace: '' }],
    tests: [{ file: 'test/store/embedded/embedded.test', titles: ['a store that is cut off anywhere*'] }],
  },
];
