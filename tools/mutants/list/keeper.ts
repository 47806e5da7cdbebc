import type { Mutant } from '../mutant.js';

/** Between the keeper and its child. */
export const KEEPER_MUTANTS: readonly Mutant[] = [
  {
    name: 'copies-not-told-closed',
    breaks: 'A connection that the child has ended stays open for its peer.',
    edits: [
      {
        file: 'src/keeper/keeper.ts',
        find: 'for (const id of message.ids) this.#held.close(id);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/crash.test', titles: ['a connection that a child ends*'] }],
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
        find: 'Buffer.concat([this.#decoder.rest(), ...buffered(socket)])',
        replace: 'Buffer.concat(buffered(socket))',
      },
    ],
    tests: [{ file: 'test/keeper/hand-over.test', titles: ['a hand-over closes no connection*'] }],
  },
  {
    name: 'no-way-back',
    breaks: 'A successor that fails after the old process has let go leaves nobody who reads.',
    edits: [
      {
        file: 'src/keeper/hand-over.ts',
        find: "if (this.#phase === 'taking') this.#takeBack(why);",
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/failed-hand-over.test', titles: ['a successor that fails when*'] }],
  },
  {
    name: 'orphan-lives-on',
    breaks: 'A child whose keeper was killed goes on, and keeps the journal.',
    edits: [
      {
        file: 'src/cli/serve/kept.ts',
        find: "link.on('orphaned', () => void this.#orphaned());",
        replace: '',
      },
    ],
    tests: [{ file: 'test/keeper/keeper-killed.test', titles: ['when the keeper is killed*'] }],
  },
  {
    name: 'strict-no-more',
    breaks: 'Whatever follows the id of reports is taken for a frame.',
    edits: [
      {
        file: 'src/wire/resync.ts',
        find: "if (!isStrictReport(bytes, at + HEADER_BYTES, end)) return 'none';",
        replace: '',
      },
    ],
    tests: [{ file: 'test/wire/resync.test', titles: ['eight bytes that look like a header*'] }],
  },
];
