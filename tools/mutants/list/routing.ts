import type { Mutant } from '../mutant.js';

/** Between connections and writers. */
export const ROUTING_MUTANTS: readonly Mutant[] = [
  {
    name: 'batch-not-handed-over-again',
    breaks: 'The batch at which a writer crashed counts as journaled, though it was not.',
    edits: [
      {
        file: 'src/routing/router.ts',
        find: 'else deliver(lane, lane.handed.batch);',
        replace: 'else journaled(lane, lane.handed.batch.id, settle);',
      },
    ],
    tests: [
      {
        file: 'test/routing/router.test',
        titles: ['a batch the writer comes back without*', 'whenever writers crash*'],
      },
    ],
  },
  {
    name: 'buffer-released-early',
    breaks: 'The memory of a batch is used for other rows before the batch is journaled.',
    edits: [
      {
        file: 'src/routing/router.ts',
        find: 'lane.handed = { batch, rows };',
        replace: 'lane.handed = { batch, rows };\n  rows.release();',
      },
      { file: 'src/routing/router.ts', find: 'handed.rows.release();', replace: '' },
    ],
    tests: [{ file: 'test/routing/router.test', titles: ['what a batch holds*', 'whenever writers crash*'] }],
  },
  {
    name: 'full-batch-overtaken',
    breaks: 'While a batch waits for room in its writer, later ones go ahead of it.',
    edits: [
      {
        file: 'src/routing/router.ts',
        find: 'if (!lane.ready || lane.handed ||',
        replace: 'if (!lane.ready || (lane.handed && !lane.isFull) ||',
      },
    ],
    tests: [
      { file: 'test/writer/bound.test', titles: ['beyond the bound*', 'whatever comes while the bound*'] },
    ],
  },
  {
    name: 'awaited-waits',
    breaks: 'A sender that can send no more waits for the time of its group.',
    edits: [{ file: 'src/routing/inbox.ts', find: 'if (credit.isAwaited || ', replace: 'if (' }],
    tests: [{ file: 'test/routing/grouping.test', titles: ['a sender that sends no more*'] }],
  },
  {
    name: 'full-batch-waits',
    breaks: 'Rows that fill a batch wait for the time of their group.',
    edits: [
      {
        file: 'src/routing/inbox.ts',
        find: '>= MAX_WAITING_ROWS ||',
        replace: '>= MAX_WAITING_ROWS ** 2 ||',
      },
    ],
    tests: [{ file: 'test/routing/inbox.test', titles: ['so many rows as fill*'] }],
  },
  {
    name: 'group-without-time',
    breaks: 'Rows that wait for their group are only looked at when others come.',
    edits: [
      {
        file: 'src/routing/grouping.ts',
        find: 'this.#isOver = true;\n      this.#onDue();',
        replace: 'this.#isOver = true;',
      },
    ],
    tests: [{ file: 'test/routing/grouping.test', titles: ['the first report after*'] }],
  },
  {
    name: 'drain-in-groups',
    breaks: 'A drain waits for the time of groups.',
    edits: [
      {
        file: 'src/routing/grouping.ts',
        find: 'if (this.#hasEnded || this.#isOver) return true;',
        replace: 'if (this.#isOver) return true;',
      },
    ],
    tests: [{ file: 'test/routing/grouping.test', titles: ['when the reporter drains*'] }],
  },
];
