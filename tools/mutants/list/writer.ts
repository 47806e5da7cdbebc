import type { Mutant } from '../mutant.js';

/** A writer, its journal records and its statements. */
export const WRITER_MUTANTS: readonly Mutant[] = [
  {
    name: 'stop-waits-for-database',
    breaks: 'A stop waits as long as a database that does not answer may take.',
    edits: [{ file: 'src/writer/writer.ts', find: '() => store.abandon?.()', replace: '() => {}' }],
    tests: [{ file: 'test/faults/shutdown.test', titles: ['a stop does not wait for a database*'] }],
  },
  {
    name: 'restart-does-not-wait',
    breaks: 'A writer is rebuilt and sends rows while a statement of before its crash is still on its way.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'await state.rest();\n    if (this.#isEnding)',
        replace: 'void state.rest();\n    if (this.#isEnding)',
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
    name: 'batch-taken-twice',
    breaks: 'A batch that its writer has journaled before it crashed is journaled and counted once more.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'batch.id > state.batchId',
        replace: 'true',
      },
    ],
    tests: [{ file: 'test/writer/writer-copies.test' }],
  },
  {
    name: 'credit-before-fsync',
    breaks: 'Credit for rows flows back to their sender before they are on disk.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: "this.#atStep('before-persist');\n      await this.#commit(",
        replace:
          "tell(router, { kind: 'journaled', partition, batchId: batch.id });\n" +
          "      this.#atStep('before-persist');\n      await this.#commit(",
      },
    ],
    tests: [{ file: 'test/faults/disk.test', titles: ['*agents wait*', '*not acknowledged*'] }],
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
    name: 'no-bisect',
    breaks: 'A row that the store rejects takes its whole chunk to the dead letters.',
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
    name: 'age-lost-in-replay',
    breaks: 'While a crashed writer is rebuilt, nothing seems to wait for the store.',
    edits: [
      {
        file: 'src/writer/incarnation.ts',
        find: 'if (this.recovered || this.#oldestBefore',
        replace: 'if (this.number > 0 || this.#oldestBefore',
      },
    ],
    tests: [{ file: 'test/writer/rebuild.test' }],
  },
  {
    name: 'room-never-offered',
    breaks: 'A batch that waited for room in its writer waits for ever, and its agents with it.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'state.flush?.wake();\n    this.#offerRoom(state);',
        replace: 'state.flush?.wake();',
      },
    ],
    tests: [{ file: 'test/writer/bound.test', titles: ['beyond the bound*'] }],
  },
  {
    name: 'locked-rows-blame-store',
    breaks: 'Where only locked rows wait, the store is taken for away, and they hold up what comes.',
    edits: [
      {
        file: 'src/writer/flush.ts',
        find: 'if (!control || !(await this.#isTaken(control))) return false;',
        replace: 'if (!control || (await this.#isTaken(control))) return false;',
      },
    ],
    tests: [{ file: 'test/faults/slow.test', titles: ['where all rows that wait are locked*'] }],
  },
  {
    name: 'control-moves-back',
    breaks: 'To try the store, an old value is written of a key whose newer value may be stored.',
    edits: [
      {
        file: 'src/writer/control-row.ts',
        find: 'if (!pending.has(rows.words, at * WORDS_PER_ROW)) return',
        replace: 'if (rows.length > 0) return',
      },
    ],
    tests: [{ file: 'test/faults/slow.test', titles: ['to know whether the store takes rows*'] }],
  },
  {
    name: 'no-bound-on-keys',
    breaks: 'With the store away, a flood of new keys fills the memory.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'if (added === 0 || added <= room) return true;',
        replace: 'if (added >= 0) return true;',
      },
    ],
    tests: [{ file: 'test/writer/bound.test', titles: ['beyond the bound*'] }],
  },
  {
    name: 'moved-journal-acknowledges',
    breaks: 'Rows count as journaled in a file that was moved or deleted, where no restart finds them.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'const displaced = journal.displaced();',
        replace: 'const displaced = undefined as Promise<void> | undefined; void journal;',
      },
    ],
    tests: [{ file: 'test/faults/moved.test', titles: ['a journal that is moved away*'] }],
  },
  {
    name: 'drain-rests',
    breaks: 'A drain waits for rests.',
    edits: [
      {
        file: 'src/writer/writer.ts',
        find: 'state.pending.stopResting();\n    state.flush?.wake();',
        replace: 'state.flush?.wake();',
      },
    ],
    tests: [
      { file: 'test/faults/rewrites.test', titles: ['a key that was just stored is not stored again*'] },
    ],
  },
  {
    name: 'rests-of-a-pass',
    breaks: 'While a long pass runs no rest ends: there is no bound on what is remembered.',
    edits: [
      {
        file: 'src/writer/flush.ts',
        find: '      pending.endRests(nowMs);\n      return chunk;',
        replace: '      return chunk;',
      },
    ],
    tests: [{ file: 'test/writer/flush-rests.test', titles: ['what a long pass has stored*'] }],
  },
  {
    name: 'older-value-ends-trace',
    breaks: 'A batch counts as stored when the store has an older value of its keys.',
    edits: [
      {
        file: 'src/writer/followed.ts',
        find: 'if (followed.earlier.has(id)) continue;',
        replace: '',
      },
    ],
    tests: [{ file: 'test/writer/followed.test', titles: ['a batch has arrived*'] }],
  },
];
