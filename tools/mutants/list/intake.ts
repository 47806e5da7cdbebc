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
  {
    name: 'resumed-as-new',
    breaks: 'After a crash a stream is read as if it stood at the beginning of a frame.',
    edits: [
      {
        file: 'src/intake/past.ts',
        find: '{ ...NO_PAST, isSearching: isTrusted, isTrusted }',
        replace: '{ ...NO_PAST, isTrusted }',
      },
    ],
    tests: [{ file: 'test/keeper/crash.test', titles: ['a frame that was half read*'] }],
  },
  {
    name: 'rest-not-handed',
    breaks: 'Half a frame that was read is not handed over.',
    edits: [
      {
        file: 'src/intake/connection.ts',
        find: 'Buffer.concat([decoder.rest(), ...buffered(socket)])',
        replace: 'Buffer.concat(buffered(socket))',
      },
    ],
    tests: [{ file: 'test/keeper/hand-over.test', titles: ['a hand-over closes no connection*'] }],
  },
];
