// The process of full.test.ts: `node full-child.js DIR`. Appends to many partitions on a disk that is full again and
// again, then replays, and says on stdout what came of it.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { PartitionJournal } from '../../src/journal/contract.js';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { until } from '../../src/testing/index.js';
import { journalStates, openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const WRITERS = 16;
const CYCLES = 5;
/** Failed commits of one cycle, at least. */
const FAILURES = 80;
const MAX_ROWS = 1500;
const BOUND = { boundMs: 60_000 };
const NOTHING_PENDING = { slotEnd: 0, copySlots: () => new Int32Array(0) };

/** What is appended is known by its place, sizes from 40 bytes to 60 KB. */
function rowsOf(index: number, sequence: number): Int32Array {
  const rows = 1 + ((sequence * 7919 + index * 1009) % MAX_ROWS);
  return new Int32Array(WORDS_PER_ROW * rows).fill(sequence);
}

const [dir = ''] = process.argv.slice(2);
const file = path.join(dir, 'data.mdb');
let attempts = 0;
const { events, synced } = journalStates();
/** Commits that have failed; of each partition one may be under way. */
const failures = () => attempts - synced() - WRITERS;
let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);
const open = () =>
  openLmdb({ dir, writers: WRITERS, events, faults: { beforeCommit: () => void attempts++ } });

/** The kernel fails a write beyond this limit as it fails one to a full disk. The soft limit alone can be raised. */
function limit(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

/** Makes the disk full, while no commit is under way: what the file has already can be written as before. */
function fill(): void {
  // It may have grown before the limit was in force.
  for (let size = -1; size < statSync(file).size; ) {
    size = statSync(file).size;
    limit(size);
  }
}

const journal = open();
const partitions = Array.from({ length: WRITERS }, (_, index) => journal.partition(index));
const appended = partitions.map(() => 0);
let isEnding = false;

async function appendAll(partition: PartitionJournal, index: number): Promise<void> {
  while (!isEnding) {
    const sequence = appended[index]! + 1;
    await partition.append(sequence, entryOf(sequence, rowsOf(index, sequence)));
    appended[index] = sequence;
    journal.peers.number(`10.${index}.0.${sequence}`);
  }
}

await Promise.all(partitions.map((partition) => replay(partition)));
for (let cycle = 0; cycle < CYCLES; cycle++) {
  isEnding = false;
  fill();
  const before = failures();
  const appending = partitions.map(appendAll);
  await until(() => failures() >= before + FAILURES, { ...BOUND, what: 'commits to fail' });
  const then = [...appended];
  const hasGoneOn = (index: number) => appended[index]! > then[index]!;
  // A little room, which is soon taken by some, then as much as they like.
  limit(statSync(file).size + 4_194_304);
  await until(() => partitions.some((_, index) => hasGoneOn(index)), { ...BOUND, what: 'some to go on' });
  const between = failures();
  await until(() => failures() >= between + WRITERS, { ...BOUND, what: 'the room to be taken' });
  limit('unlimited');
  await until(() => partitions.every((_, index) => hasGoneOn(index)), { ...BOUND, what: 'all to go on' });
  isEnding = true;
  await Promise.all(appending);
  // Pages become free, to be used again before the file grows.
  const sequence = appended[cycle]!;
  await partitions[cycle]!.snapshot(sequence, sequence, NOTHING_PENDING, () => false);
}
await journal.close();

const reopened = open();
const lost: string[] = [];
for (const [index, last] of appended.entries()) {
  const replayed = await replay(reopened.partition(index));
  if (replayed.last !== last || replayed.records.length !== last - replayed.base)
    lost.push(`partition ${index} ends with ${replayed.last} instead of ${last}`);
  for (const { sequence, record } of replayed.records)
    if (Buffer.compare(bytesOf(record.rows), bytesOf(rowsOf(index, sequence))) !== 0)
      lost.push(`partition ${index}, record ${sequence}`);
}
await reopened.close();
process.stdout.write(JSON.stringify({ failures: failures(), unhandled, lost }));

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
