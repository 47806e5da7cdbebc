import type { Mutant } from '../mutant.js';

/** Between socket and store. */
export const FLOW_MUTANTS: readonly Mutant[] = [
  {
    name: 'resume-after-crash',
    breaks: 'A writer that crashes goes on with the state it had, instead of with what its journal says.',
    edits: [
      {
        file: 'src/runtime/actors.ts',
        find: 'return isStopped() ? context.stop : context.reset;',
        replace: 'return isStopped() ? context.stop : context.resume;',
      },
    ],
    tests: [
      { file: 'test/runtime/actors.test', titles: ['a persistent actor is rebuilt*'] },
      { file: 'test/faults/crashes.test', titles: ['*"after-persist"*'] },
    ],
  },
  {
    name: 'restart-does-not-wait',
    breaks: 'A writer is rebuilt and sends rows while a statement of before its crash is still on its way.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'await settle(state);\n      if (isEnding)',
        replace: 'void settle(state);\n      if (isEnding)',
      },
    ],
    tests: [{ file: 'test/writer/writer.test', titles: ['a writer that crashes while a statement*'] }],
  },
  {
    name: 'checkpoint-before-store',
    breaks: 'A checkpoint names rows that were sent and that the store has not confirmed.',
    edits: [
      {
        file: 'src/writer/flush.ts',
        find: 'await this.#options.store.upsert(chunk.rows);',
        replace: 'this.#options.onFlushed(chunk, 0);\n      await this.#options.store.upsert(chunk.rows);',
      },
      {
        file: 'src/writer/flush.ts',
        find: 'this.#options.onFlushed(chunk, elapsedMs / 1000);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/writer/writer.test', titles: ['a row counts as stored*'] }],
  },
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
    name: 'batch-taken-twice',
    breaks: 'A batch that its writer has journaled before it crashed is journaled and counted once more.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'message.batch.id > state.batchId',
        replace: 'true',
      },
    ],
    tests: [{ file: 'test/writer/writer-copies.test' }],
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
    name: 'credit-before-fsync',
    breaks: 'Credit for rows flows back to their sender before they are on disk.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: "atStep('before-persist');\n            await commit(",
        replace:
          "tell(router, { kind: 'journaled', partition, batchId: message.batch.id });\n" +
          "            atStep('before-persist');\n            await commit(",
      },
    ],
    tests: [{ file: 'test/faults/disk.test', titles: ['*agents wait*', '*not acknowledged*'] }],
  },
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
    name: 'commit-killed',
    breaks: 'A session in its commit is killed, which ends a MySQL whose disk is full.',
    edits: [
      {
        file: 'src/store/mysql/sessions.ts',
        find: "command !== 'Sleep' && COMMITTING.test(state)",
        replace: "command === 'Sleep' && COMMITTING.test(state)",
      },
    ],
    tests: [{ file: 'test/mysql/full-disk.test', server: 'mysql' }],
  },
  {
    name: 'slow-row-holds-up',
    breaks: 'One row that is locked holds up every other row of its writer.',
    edits: [
      {
        file: 'src/writer/flush.ts',
        find: 'if (failure.tooSlow) {',
        replace: 'if (failure.tooSlow && failure.mayBeOneRow) {',
      },
    ],
    tests: [{ file: 'test/faults/slow.test', titles: ['a row that is locked*'] }],
  },
  {
    name: 'connection-blames-rows',
    breaks: 'Rows are blamed for a failure of a statement that held none of them.',
    edits: [
      {
        file: 'src/store/mysql/errors.ts',
        find: "blamesRows ? { class: 'retry-slowly' } : verdict",
        replace: 'blamesRows ? verdict : verdict',
      },
    ],
    tests: [{ file: 'test/store/mysql/errors.test', titles: ['a failure of anything but*'] }],
  },
  {
    name: 'no-bisect',
    breaks: 'A row that the store refuses takes its whole chunk to the dead letters.',
    edits: [
      {
        file: 'src/writer/culprit.ts',
        find: 'chunk.slots.length === 1 && isRefusal(failure)',
        replace: 'isRefusal(failure)',
      },
    ],
    tests: [{ file: 'test/faults/poison.test', titles: ['one refused row*'] }],
  },
  {
    name: 'blame-without-control',
    breaks: 'A row that fails while the store fails for everybody becomes a dead letter.',
    edits: [
      {
        file: 'src/writer/culprit.ts',
        find: '(await trial.isTaken(control)) ? failure : undefined',
        replace: 'failure',
      },
    ],
    tests: [{ file: 'test/faults/poison.test', titles: ['an outage * of the search*'] }],
  },
  {
    name: 'snapshot-covers-too-much',
    breaks: 'A snapshot stands for a record more than its rows were made of.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'await journal.snapshot(state.sequence, ',
        replace: 'await journal.snapshot(state.sequence + 1, ',
      },
    ],
    tests: [{ file: 'test/writer/writer.test', titles: ['what comes while a snapshot*'] }],
  },
  {
    name: 'no-snapshot-in-outages',
    breaks: 'With the store away the journal grows with every report.',
    edits: [{ file: 'src/writer/writer.ts', find: 'if ((!idle && !large) ||', replace: 'if (!idle ||' }],
    tests: [{ file: 'test/faults/bounded.test', titles: ['with the store away*'] }],
  },
  {
    name: 'replay-counts-again',
    breaks: 'Rows that were counted, received and coalesced, are counted once more when they are replayed.',
    edits: [
      {
        file: 'src/partition/account.ts',
        find: 'if (sequence <= this.countedSequence) return;',
        replace: '',
      },
    ],
    tests: [{ file: 'test/faults/crashes.test', titles: ['*"flush" loses*'] }],
  },
  {
    name: 'coalesced-not-counted',
    breaks:
      'Values that were replaced while on their way when the writer crashed are in no count of the ledger.',
    edits: [
      {
        file: 'src/partition/account.ts',
        find: 'this.counts.coalesced += this.superseded;',
        replace: '',
      },
    ],
    tests: [{ file: 'test/faults/crashes.test', titles: ['*"flushed" loses*'] }],
  },
  {
    name: 'rows-stay-in-old-partition',
    breaks: 'When writers.count changes, a row is moved to another partition than that of its service.',
    edits: [
      {
        file: 'src/partition/relayout.ts',
        find: 'partitionOf(rows[at + MODID]!, rows[at + CMDID]!, writers)',
        replace: 'partition % writers',
      },
    ],
    tests: [{ file: 'test/partition/relayout.test', titles: ['changing writers.count*'] }],
  },
];
