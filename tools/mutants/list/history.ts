import type { Mutant } from '../mutant.js';

/** What is kept of what the view has seen. */
export const HISTORY_MUTANTS: readonly Mutant[] = [
  {
    name: 'incident-begins-anew',
    breaks:
      'After a crash an incident that goes on is another one: it begins twice, and one of them has no end.',
    edits: [
      {
        file: 'src/view/host-assessment.ts',
        find: "const earlier = state.resuming.take('host', place);",
        replace: "const earlier = hot < 0 ? state.resuming.take('host', place) : undefined;",
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
  {
    name: 'progress-not-kept',
    breaks: 'After a crash an incident that was over meanwhile ends when it began.',
    edits: [
      {
        file: 'src/view/worker/keeping.ts',
        find: 'if (now - this.#progressAt >= PROGRESS_S) this.#keepProgress();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
  {
    name: 'gap-shown-as-zero',
    breaks: 'Minutes that nobody saw look like minutes without calls.',
    edits: [
      {
        file: 'src/view/query/show-history.ts',
        find: 'coveredS === 0 ? null : tally',
        replace: 'coveredS === 0 ? unknown : tally',
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
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
  {
    name: 'incident-told-again',
    breaks: 'Who follows incidents is woken again and again by the same one.',
    edits: [
      {
        file: 'src/cli/incidents/telling.ts',
        find: 'if (!this.#running.has(id)) news',
        replace: 'news',
      },
    ],
    tests: [{ file: 'test/cli/incidents/telling.test' }],
  },
];
