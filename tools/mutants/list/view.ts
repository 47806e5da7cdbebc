import type { Mutant } from '../mutant.js';

/** What people look at, beside the way of the rows. */
export const VIEW_MUTANTS: readonly Mutant[] = [
  {
    name: 'view-fed-without-copy',
    breaks: 'The view reads the memory of a batch when others write to it again.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'else if (!ring.write(ROWS, partition, nowS, rows)) this.#miss(ring, partition, rows, nowS);',
        replace: 'else setImmediate(() => ring.write(ROWS, partition, nowS, rows));',
      },
    ],
    tests: [{ file: 'test/view/worker.test', titles: ['rows are copied*'] }],
  },
  {
    name: 'view-without-bound-on-hosts',
    breaks: 'A flood of hosts that one caller each knows fills the memory by way of the view.',
    edits: [
      {
        file: 'src/view/view.ts',
        find: 'return Math.max(rows.size, ROWS_A_HOST * hostsAndServices);',
        replace: 'return Math.max(rows.size, hostsAndServices);',
      },
    ],
    tests: [{ file: 'test/view/sampling.test', titles: ['hosts of few callers*'] }],
  },
  {
    name: 'dropped-rows-not-read-again',
    breaks: 'Rows that the view was too slow for are never in it, and it says that it has all.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'this.#missed = new Map();\n    return missed;',
        replace: 'this.#missed = new Map();\n    return undefined;',
      },
    ],
    tests: [{ file: 'test/view/readings.test', titles: ['what was dropped*', 'whatever is journaled*'] }],
  },
  {
    name: 'stored-over-pending',
    breaks: 'What the store has of a row replaces in the view the newer value that waits for it.',
    edits: [
      {
        file: 'src/view/tablerows.ts',
        find: 'if ((before & CAUGHT) !== 0 && !isPending) return false;',
        replace: '',
      },
    ],
    tests: [
      {
        file: 'test/view/readings.test',
        titles: ['a view that starts*', 'what was dropped*', 'whatever is journaled*'],
      },
    ],
  },
  {
    name: 'hanging-view-stays',
    breaks: 'A thread of the view that hangs is never replaced.',
    edits: [
      {
        file: 'src/view/thread/view-thread.ts',
        find: 'this.#still = beat === this.#beat ? this.#still + 1 : 0;',
        replace: 'this.#still = 0;',
      },
    ],
    tests: [{ file: 'test/view/thread.test', titles: ['a thread that hangs*'] }],
  },
  {
    name: 'senders-not-told',
    breaks: 'The view takes machines that report a loopback address for one.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'if (this.#ring) this.#untold.push(number);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/view/worker.test', titles: ['reports that name a loopback address*'] }],
  },
  {
    name: 'silent-machines-forgotten',
    breaks: 'After a restart nobody knows which agents have not come back.',
    edits: [
      {
        file: 'src/view/worker/serving.ts',
        find: 'this.#view.remember(this.#file.load());',
        replace: 'this.#file.load();',
      },
    ],
    tests: [
      { file: 'test/view/thread.test', titles: ['machines that called before*'] },
      { file: 'test/flow/view.test', titles: ['after a kill*'] },
    ],
  },
];
