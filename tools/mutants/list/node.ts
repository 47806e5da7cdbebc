import type { Mutant } from '../mutant.js';

/** The builders of the stages, and what they connect. */
export const NODE_MUTANTS: readonly Mutant[] = [
  {
    name: 'limit-of-the-start',
    breaks: 'A reload says that listen.maxConnections has changed in place, and the old one holds.',
    edits: [
      {
        file: 'src/node/open-intake.ts',
        find: 'if (this.#listen.maxConnections !== this.#configured) this.#look();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/reload.test', titles: ['limits, time-outs*'] }],
  },
  {
    name: 'crashed-writer-not-read-again',
    breaks: 'What a writer journaled when it crashed is never in the view.',
    edits: [
      {
        file: 'src/node/start-view.ts',
        find: "if (event.type === 'writer-recovered' && event.restarts > 0) this.#feed.lost(event.partition);",
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/view.test', titles: ['what a writer journals when it crashes*'] }],
  },
  {
    name: 'writers-recover-alone',
    breaks: 'When the store takes rows again, writers find out one by one, each at the end of its pause.',
    edits: [{ file: 'src/node/start-writers.ts', find: 'writer.hurry();', replace: 'void writer;' }],
    tests: [{ file: 'test/faults/slow.test', titles: ['when the store takes rows of one writer again*'] }],
  },
];
