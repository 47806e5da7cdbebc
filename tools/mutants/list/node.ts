import type { Mutant } from '../mutant.js';

/** The builders of the stages, and what they connect. */
export const NODE_MUTANTS: readonly Mutant[] = [
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
];
