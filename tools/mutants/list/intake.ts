import type { Mutant } from '../mutant.js';

/** Between sockets and the router. */
export const INTAKE_MUTANTS: readonly Mutant[] = [
  {
    name: 'credit-without-end',
    breaks: 'A connection is read on, however much of what it sent is not journaled.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'if (this.#unpaidBytes > WINDOW_BYTES) this.park();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/flow/backpressure.test', titles: ['while one writer cannot journal*'] }],
  },
];
