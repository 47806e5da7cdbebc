import type { Mutant } from '../mutant.js';

/** The configuration. */
export const CONFIG_MUTANTS: readonly Mutant[] = [
  {
    name: 'secret-file-over-secret',
    breaks: 'A secret that stands in the configuration is silently replaced by that of a file.',
    edits: [
      {
        file: 'src/config/secret-files.ts',
        find: 'if (isGiven(target, input)) {',
        replace: 'if (isGiven(target, undefined)) {',
      },
    ],
    tests: [{ file: 'test/config/secret-files.test', titles: ['a secret and its file*'] }],
  },
  {
    name: 'secret-for-its-file-shown',
    breaks: 'Who writes a secret where its file is to be named finds it in the log.',
    edits: [
      { file: 'src/config/secret-files.ts', find: "write a path', MASK);", replace: "write a path');" },
    ],
    tests: [{ file: 'test/config/secret-files.test', titles: ['a secret that stands where*'] }],
  },
  {
    name: 'renewal-not-seen',
    breaks: 'A renewed certificate of the same name is not taken by a reload.',
    edits: [
      {
        file: 'src/config/difference.ts',
        find: 'from.has(key) && from.get(key) !== digest',
        replace: 'from.has(key) && digest === undefined',
      },
    ],
    tests: [{ file: 'test/keeper/admin-tls.test', titles: ['certificate and token*'] }],
  },
];
