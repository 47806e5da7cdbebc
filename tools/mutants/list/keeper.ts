import type { Mutant } from '../mutant.js';

/** Between the keeper and its child. */
export const KEEPER_MUTANTS: readonly Mutant[] = [
  {
    name: 'reload-on-terminal',
    breaks: 'A reporter goes on when the terminal that it was started on is closed.',
    edits: [
      {
        file: 'src/keeper/keeper.ts',
        find: "else if (signal === 'SIGHUP' && !this.#options.isOnTerminal) this.#reload();",
        replace: "else if (signal === 'SIGHUP') this.#reload();",
      },
    ],
    tests: [{ file: 'test/keeper/terminal.test', titles: ['started on a terminal*'] }],
  },
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
  {
    name: 'stop-in-hand-over',
    breaks: 'A stop in the middle of a hand-over ends the old process at once.',
    edits: [
      {
        file: 'src/keeper/keeper.ts',
        find: "if (this.#handOver && (isFirst || signal === 'SIGHUP')) {",
        replace: "if (this.#handOver && signal === 'SIGHUP') {",
      },
    ],
    tests: [{ file: 'test/keeper/stop.test', titles: ['a stop while the old process lets go*'] }],
  },
  {
    name: 'piece-unanswered',
    breaks: 'An old process waits for the answer of a successor that has ended.',
    edits: [
      {
        file: 'src/keeper/hand-over.ts',
        find: "this.#whyEnded = why;\n    this.#old.tell({ kind: 'taken' });",
        replace: 'this.#whyEnded = why;',
      },
    ],
    tests: [{ file: 'test/keeper/hand-over-steps.test', titles: ['a successor that ends while a piece*'] }],
  },
  {
    name: 'taking-without-end',
    breaks: 'A successor that stands still while it takes over leaves nobody who reads.',
    edits: [
      {
        file: 'src/keeper/hand-over.ts',
        find: 'this.#timer = setTimeout(() => next.kill(), this.#limits.takeMs);',
        replace: '',
      },
    ],
    tests: [
      { file: 'test/keeper/hand-over-steps.test', titles: ['a successor that takes over and never reads*'] },
    ],
  },
  {
    name: 'unsent-is-read',
    breaks: 'A connection that no process has read yet counts as cut in the middle of a frame.',
    edits: [
      {
        file: 'src/keeper/held.ts',
        find: 'held.isRead ||= !unsent.has(id);',
        replace: 'held.isRead ||= id > 0;',
      },
    ],
    tests: [{ file: 'test/keeper/held.test', titles: ['a connection of which no copy*'] }],
  },
];
