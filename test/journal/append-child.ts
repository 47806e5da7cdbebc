// The process that kill.test.ts kills: `node append-child.js DIR`. Appends to two partitions as fast as it can, takes
// snapshots meanwhile, and writes `PARTITION SEQUENCE` for each append once it is acknowledged.

import { writeSync } from 'node:fs';
import type { PartitionJournal } from '../../src/journal/contract.js';
import { numbered } from './numbered.js';
import { openLmdb } from './opened.js';
import { replay } from './replay.js';

const SNAPSHOT_EVERY = 37;

async function run(partition: PartitionJournal, index: number): Promise<never> {
  const { pending, last } = await replay(partition);
  let snapshot: Promise<unknown> | undefined;
  for (let sequence = last + 1; ; sequence++) {
    const entry = numbered(sequence);
    await partition.append(sequence, entry);
    writeSync(1, `${index} ${sequence}\n`);
    pending.confirm(entry.record.confirmed, 0);
    pending.fold(entry.record.rows, 1);
    if (sequence % SNAPSHOT_EVERY === 0 && !snapshot) {
      snapshot = partition
        .snapshot(sequence, sequence, pending, () => false)
        .finally(() => {
          snapshot = undefined;
        });
    }
  }
}

const journal = openLmdb({ dir: process.argv[2]!, writers: 2 });
await Promise.all([0, 1].map((index) => run(journal.partition(index), index)));
