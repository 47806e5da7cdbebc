import type { Mutant } from '../mutant.js';

/** Data files and their room. */
export const LMDB_MUTANTS: readonly Mutant[] = [
  {
    name: 'embedded-store-opened-at-once',
    breaks:
      'A process that opens an embedded store while another closes it cannot write to it, nor can others.',
    edits: [
      {
        file: 'src/lmdb/in-turn.ts',
        find: 'const release = await enter(dataFileOf(dir));',
        replace: 'const release = () => enter(dataFileOf(dir));',
      },
    ],
    tests: [{ file: 'test/store/embedded/embedded.test', titles: ['processes that open and close*'] }],
  },
  {
    name: 'cut-off-file-opened',
    breaks:
      'A data file that is cut off, of the journal or of the embedded store, is opened, and ends the process.',
    edits: [{ file: 'src/lmdb/open-environment.ts', find: 'checkDataFile(file);', replace: '' }],
    tests: [{ file: 'test/store/embedded/embedded.test', titles: ['a store that is cut off anywhere*'] }],
  },
  {
    name: 'damaged-tree-opened',
    breaks: 'A journal with a damaged page of a tree is opened, and ends the process, or keeps it for ever.',
    edits: [
      {
        file: 'src/lmdb/open-environment.ts',
        find: 'if (hasSmallTrees && existsSync(file)) checkTrees(file);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/lmdb/data-file.test', titles: ['a journal with a damaged page*'] }],
  },
  {
    name: 'lock-file-alone',
    breaks: 'When the lock file of a journal is deleted, a second process writes into the same journal.',
    edits: [
      {
        file: 'src/lmdb/lock.ts',
        find: 'lockData(data, { dir, advice, what }, false)',
        replace: 'lockData(data, { dir, advice, what }, true)',
      },
    ],
    tests: [{ file: 'test/lmdb/lock.test', titles: ['a journal whose lock file was deleted*'] }],
  },
];
