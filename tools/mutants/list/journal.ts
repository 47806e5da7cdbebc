import type { Mutant } from '../mutant.js';

/** What is on disk. */
export const JOURNAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'failed-commit-counts',
    breaks: 'A record whose commit failed, because the disk is full, counts as durable.',
    edits: [{ file: 'src/journal/lmdb/commits.ts', find: 'await sleep(waitMs);', replace: 'return true;' }],
    tests: [
      { file: 'test/journal/journal.test', titles: ['an append whose commit fails*'] },
      { file: 'test/faults/disk.test', titles: ['*agents wait*'] },
    ],
  },
  {
    name: 'snapshot-published-early',
    breaks: 'A snapshot is published when its first piece is written.',
    edits: [
      {
        file: 'src/journal/lmdb/snapshots.ts',
        find: 'slot < source.slotEnd; slot += ROWS_PER_PIECE',
        replace: 'slot === 0 && slot < source.slotEnd; slot += ROWS_PER_PIECE',
      },
    ],
    tests: [{ file: 'test/journal/snapshot.test', titles: ['replay comes to what is pending*'] }],
  },
  {
    name: 'truncated-before-published',
    breaks: 'Records are removed before the snapshot that stands for them is published.',
    edits: [
      {
        file: 'src/journal/lmdb/snapshots.ts',
        find: 'const written =',
        replace: 'await this.#records.removeUpTo(sequence);\n    const written =',
      },
    ],
    tests: [{ file: 'test/journal/snapshot.test', titles: ['replay comes to what is pending*'] }],
  },
  {
    name: 'damage-not-seen',
    breaks: 'A record with a wrong checksum is replayed as if it were sound.',
    edits: [
      {
        file: 'src/journal/record.ts',
        find: 'view.getUint32(0, true) !== crc32(bytes.subarray(4))',
        replace: 'false',
      },
    ],
    tests: [
      { file: 'test/journal/record.test', titles: ['*single bit*'] },
      { file: 'test/journal/quarantine.test', titles: ['a damaged record*'] },
    ],
  },
  {
    name: 'replay-through-the-map',
    breaks: 'A start replays through the map of lmdb, so that the whole journal stays in resident memory.',
    edits: [
      {
        file: 'src/journal/lmdb/partition.ts',
        find: 'const unmapped = this.#takeUnmapped();',
        replace: 'const unmapped = undefined;',
      },
    ],
    tests: [{ file: 'test/faults/restart-memory.test', titles: ['*no more memory*'] }],
  },
  {
    name: 'partitions-half-changed',
    breaks: 'A change of writers.count is valid before the rows are in their new partitions.',
    edits: [
      {
        file: 'src/journal/lmdb/journal.ts',
        find: 'const heads: Head[] = [];',
        replace: "await this.#meta.put('layout', next);\n    const heads: Head[] = [];",
      },
    ],
    tests: [{ file: 'test/journal/relayout.test', titles: ['a change of partitions*'] }],
  },
  {
    name: 'dead-letter-of-old-value',
    breaks: 'A rejected value is kept as a dead letter though a newer one of its key is stored.',
    edits: [
      {
        file: 'src/journal/lmdb/records.ts',
        find: 'refusals.filter(({ words }) => !hasKey(record.confirmed, words))',
        replace: 'refusals.slice()',
      },
    ],
    tests: [{ file: 'test/journal/dead-letters.test', titles: ['a value that was refused*'] }],
  },
];
