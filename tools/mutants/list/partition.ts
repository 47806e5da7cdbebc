import type { Mutant } from '../mutant.js';

/** Pending rows, their counts, and the partition they belong to. */
export const PARTITION_MUTANTS: readonly Mutant[] = [
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
  {
    name: 'guess-not-compared',
    breaks: 'A row is taken for the one expected after the last although its caller differs.',
    edits: [
      { file: 'src/partition/rowmap.ts', find: 'a[atA + CALLER] === b[atB + CALLER]', replace: 'true' },
    ],
    tests: [
      { file: 'test/partition/rowmap.test', titles: ['a row that comes where another*', '*thousands*'] },
    ],
  },
  {
    name: 'removed-row-guessed',
    breaks: 'A row is put into the place of one that was removed, where nobody finds it.',
    edits: [{ file: 'src/partition/rowmap.ts', find: 'words[base + SINCE] !== REMOVED', replace: 'true' }],
    tests: [
      {
        file: 'test/partition/rowmap.test',
        titles: ['a map holds the newest*', '*thousands*', '*same order again*'],
      },
    ],
  },
  {
    name: 'checkpoint-names-changed-keys',
    breaks: 'A key counts as stored although it has changed since it was sent.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'if (marks.at(slots[index]!) !== id) continue;',
        replace: '',
      },
    ],
    tests: [
      { file: 'test/partition/pending.test', titles: ['whatever happens*', 'so it does with thousands*'] },
    ],
  },
  {
    name: 'chunks-unordered',
    breaks: 'Rows are sent in the order they came, so that statements lock rows of each other crosswise.',
    edits: [
      {
        file: 'src/partition/pass.ts',
        find: 'this.#ordered = this.#ordering.next().done === true;',
        replace: 'this.#ordered = true;',
      },
    ],
    tests: [
      { file: 'test/partition/pending.test', titles: ['whatever happens*', 'so it does with thousands*'] },
    ],
  },
  {
    name: 'age-forgotten-in-flight',
    breaks: 'A key that is reported again while the database hangs looks as if it had just come.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'if (this.#inFlight.has(mark)) {',
        replace: 'if (false as boolean) {',
      },
    ],
    tests: [
      {
        file: 'test/partition/pending.test',
        titles: ['a key that is reported again while the store hangs*', 'whatever happens*'],
      },
    ],
  },
  {
    name: 'replay-over-newer-value',
    breaks: 'A dead letter that is replayed replaces a newer value that is pending.',
    edits: [{ file: 'src/partition/redelivery.ts', find: 'if (!isPending(key)) {', replace: '{' }],
    tests: [
      { file: 'test/partition/redelivery.test', titles: ['a key that is pending*'] },
      { file: 'test/cli/dead-letters.test', titles: ['replays race*'] },
    ],
  },
  {
    name: 'stored-is-pending',
    breaks: 'Keys that were stored and are remembered count as pending.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'return this.#map.size - this.#marks.count(STORED);',
        replace: 'return this.#map.size;',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['a snapshot, a new key*'] }],
  },
  {
    name: 'overload-rests',
    breaks: 'A change of overload waits until the rest of its key is over.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: '^ this.#storedAs[slot]!) & 1) === 1',
        replace: '^ this.#storedAs[slot]!) & 1) === 2',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['a change of overload*'] }],
  },
  {
    name: 'snapshot-of-stored',
    breaks: 'A snapshot holds keys that the store has: a restart sends old values again.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'if (mark === FREE || mark === STORED) continue;',
        replace: 'if (mark === FREE) continue;',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['a snapshot, a new key*'] }],
  },
  {
    name: 'rest-without-end',
    breaks: 'What came while a key rested waits until the key is reported again.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'if (this.#marks.at(slot) === RESTING) this.#marks.set(slot, WAITING);\n      else if',
        replace: 'if',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['a key that was just stored rests*'] }],
  },
  {
    name: 'rests-unbounded',
    breaks: 'There is no bound on the keys that are remembered.',
    edits: [
      {
        file: 'src/partition/rests.ts',
        find: 'rest.untilMs > nowMs && this.#rows <= this.#maxRows',
        replace: 'rest.untilMs > nowMs',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['beyond their bound*'] }],
  },
  {
    name: 'rest-of-another-chunk',
    breaks: 'The end of an older rest ends a later one, or forgets a key that was stored again since.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'if (this.#storedAs[slot]! >> 1 !== chunk) continue;',
        replace: '',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['whatever happens*'] }],
  },
  {
    name: 'owner-never-free',
    breaks: 'Keys that the store has count against the address that sent them.',
    edits: [
      {
        file: 'src/partition/pending.ts',
        find: 'this.#marks.set(slot, STORED);\n      this.#owners.free(slot);',
        replace: 'this.#marks.set(slot, STORED);',
      },
    ],
    tests: [{ file: 'test/partition/owners.test', titles: ['a key that the store has is nobody*'] }],
  },
  {
    name: 'new-keys-counted-twice',
    breaks: 'With the store away, agents that go on reporting a few new keys wait although there is room.',
    edits: [
      {
        file: 'src/partition/new-keys.ts',
        find: 'return added.size;',
        replace: 'return rows.length / WORDS_PER_ROW;',
      },
    ],
    tests: [{ file: 'test/partition/pending.test', titles: ['a new key takes its room once*'] }],
  },
];
