import type { Mutant } from '../mutant.js';

/** What is kept of what the view has seen. */
export const HISTORY_MUTANTS: readonly Mutant[] = [
  {
    name: 'minute-replaced',
    breaks: 'Of a minute in which one process hands over to another, only what the second one saw is known.',
    edits: [
      {
        file: 'src/history/minute-writing.ts',
        find: 'mergeAll(layout, talliesAt(this.#file, table, minute), tallies),',
        replace: 'mergeAll(layout, [], tallies),',
      },
    ],
    tests: [{ file: 'test/history/history.test', titles: ['a minute that comes in parts*'] }],
  },
  {
    name: 'history-without-bound',
    breaks: 'The history fills the disk.',
    edits: [
      {
        file: 'src/history/retention.ts',
        find: 'return Math.floor(maxBytes * (1 - SPARE_SHARE)) - SPARE_BYTES;',
        replace: 'return 1024 * maxBytes * (1 - SPARE_SHARE) - SPARE_BYTES;',
      },
    ],
    tests: [{ file: 'test/history/history.test', titles: ['the file stays within*'] }],
  },
  {
    name: 'history-gives-up',
    breaks: 'After its disk was full the history does not go on.',
    edits: [
      {
        file: 'src/history/history.ts',
        find: 'this.#retryAtMs = performance.now() + (this.#options.retryMs ?? RETRY_MS);',
        replace: 'this.#retryAtMs = Number.POSITIVE_INFINITY;',
      },
    ],
    tests: [
      { file: 'test/history/history.test', titles: ['a folder that cannot be used*'] },
      { file: 'test/history/full.test' },
    ],
  },
  {
    name: 'future-stays',
    breaks: 'What was kept while the clock was ahead lies in the future when it has been set back.',
    edits: [
      {
        file: 'src/history/history.ts',
        find: 'if (nowMinute < this.#lastMinute) await this.#putBack(file, nowS);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/history/history.test', titles: ['a clock that was ahead*'] }],
  },
];
