import test from 'ava';
import { ROWS_PER_PIECE } from '../../src/journal/record.js';
import { contentOf, pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { damageJournal, flipped } from './dump.js';
import { openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
/** Enough for pages of their own. */
const ROWS = 200;
const rowsFrom = (from: number, count = ROWS) =>
  pack(...range(count, from).map((modid) => ({ modid, succ: from })));
const pieces = { slotEnd: 2 * ROWS_PER_PIECE, copySlots: (from: number) => rowsFrom(from, ROWS_PER_PIECE) };

/** A journal of one partition with a snapshot of two pieces and three records behind it, all of them large. */
async function filled(dir: string): Promise<void> {
  const journal = openLmdb({ dir, writers: 1 });
  const partition = journal.partition(0);
  await partition.append(1, entryOf(1, rowsFrom(0)));
  await partition.snapshot(1, 1, pieces, () => false);
  for (const sequence of [2, 3, 4])
    await partition.append(sequence, entryOf(sequence, rowsFrom(-1000 * sequence)));
  await journal.close();
}

test('what has changed since the journal was opened is replayed as it is, large values included', async (t) => {
  const dir = tempDir(t);
  await filled(dir);
  const journal = openLmdb({ dir, writers: 1 });
  const partition = journal.partition(0);
  await partition.quarantine(3, new Error('crashes its writer'));
  const { records, pending } = await replay(partition);
  t.deepEqual(
    records.map(({ record }) => record.quarantined),
    [0, ROWS, 0],
  );
  t.is(pending.keys, 2 * ROWS_PER_PIECE + 2 * ROWS);
  await partition.snapshot(4, 4, { slotEnd: 10, copySlots: () => rowsFrom(5, 10) }, () => false);
  t.is((await replay(partition)).pending.keys, 10);
  await journal.close();
});

test('of a layout that has changed since the journal was opened, the new one is replayed', async (t) => {
  const dir = tempDir(t);
  await filled(dir);
  let journal = openLmdb({ dir, writers: 1 });
  // Twice, so that the snapshots of old and new have the same sequence.
  await journal.relayout(1, () => rowsFrom(7, 3 * ROWS_PER_PIECE));
  await journal.close();
  journal = openLmdb({ dir, writers: 1 });
  await journal.relayout(1, () => rowsFrom(9000, 2 * ROWS_PER_PIECE));
  const { pending } = await replay(journal.partition(0));
  t.deepEqual(
    contentOf(pending.copySlots(0, pending.slotEnd)),
    contentOf(rowsFrom(9000, 2 * ROWS_PER_PIECE)),
  );
  await journal.close();
});

test('large values that are damaged go into quarantine, as small ones do; all else is replayed', async (t) => {
  const dir = tempDir(t);
  await filled(dir);
  await damageJournal(dir, 'events', [1, 0, 3], flipped);
  await damageJournal(dir, 'snapshots', [1, 0, 1, 1], flipped);
  const journal = openLmdb({ dir, writers: 1 });
  const { records, pending } = await replay(journal.partition(0));
  t.deepEqual(
    records.map(({ sequence }) => sequence),
    [2, 4],
  );
  t.is(pending.keys, ROWS_PER_PIECE + 2 * ROWS);
  t.is(journal.quarantined, 2);
  await journal.close();
});
