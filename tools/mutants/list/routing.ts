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
];
