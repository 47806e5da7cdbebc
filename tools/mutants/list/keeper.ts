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
    name: 'no-way-back',
    breaks: 'A successor that fails after the old process has let go leaves nobody who reads.',
    edits: [
      {
        file: 'src/keeper/hand-over.ts',
        find: "if (this.#phase === 'taking') this.#takeBack(why);",
        replace: "if (this.#phase === 'taking') return true;",
      },
    ],
    tests: [{ file: 'test/keeper/failed-hand-over.test', titles: ['a successor that fails when*'] }],
  },
];
