import test from 'ava';
import { open } from 'lmdb';
import type { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import { encodePiece, ROWS_PER_PIECE } from '../../src/journal/record.js';
import { SINCE } from '../../src/model/row.js';
import { contentOf, pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const rowsFrom = (from: number, count: number) =>
  pack(...range(count, from).map((modid) => ({ modid, succ: modid })));

/** What each partition holds. */
async function contents(journal: LmdbJournal) {
  const found: Map<string, string>[] = [];
  for (const index of range(journal.layout.writers)) {
    const { pending } = await replay(journal.partition(index));
    found.push(contentOf(pending.copySlots(0, pending.slotEnd)));
  }
  return found;
}

/** A journal of two partitions, one of them with a snapshot. */
async function filled(dir: string): Promise<LmdbJournal> {
  const journal = openLmdb({ dir, writers: 2 });
  const { pending } = await replay(journal.partition(1));
  for (const index of [0, 1]) {
    const partition = journal.partition(index);
    await partition.append(1, entryOf(1, rowsFrom(index * 100, 10)));
    if (index === 0) continue;
    pending.fold(rowsFrom(100, 10), 5);
    await partition.snapshot(1, 1, pending, () => false);
    await partition.append(2, entryOf(2, rowsFrom(105, 10)));
  }
  return journal;
}
const FILLED = [contentOf(rowsFrom(0, 10)), contentOf(rowsFrom(100, 15))];

/** All keys of all tables that belong to a layout. */
async function keysOf(dir: string): Promise<Record<string, number[][]>> {
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  const keys: Record<string, number[][]> = {};
  for (const name of ['events', 'snapshots', 'heads'])
    keys[name] = [...environment.openDB({ name, encoding: 'binary' }).getKeys()] as unknown as number[][];
  await environment.close();
  return keys;
}

test('another number of partitions holds what it is given, with the time it waits since', async (t) => {
  const dir = tempDir(t);
  const journal = await filled(dir);
  const given = [rowsFrom(0, 2 * ROWS_PER_PIECE + 1), new Int32Array(0), rowsFrom(9000, 3)];
  given[2]![SINCE] = 1234;
  await journal.relayout(3, (partition) => given[partition]!);
  t.deepEqual(await contents(journal), given.map(contentOf));
  await journal.close();

  const again = openLmdb({ dir, writers: 3 });
  t.deepEqual(again.layout, { epoch: 2, writers: 3 });
  t.deepEqual(await contents(again), given.map(contentOf));
  const last = again.partition(2);
  const { pending, base, last: sequence, batchId } = await replay(last);
  t.is(pending.copySlots(0, 1)[SINCE], 1234);
  t.deepEqual([base, sequence, batchId], [0, 0, 0]);
  // And goes on from there.
  await last.append(1, entryOf(1, rowsFrom(9001, 5)));
  t.is((await replay(last)).pending.keys, 6);
  await again.close();

  t.deepEqual(await keysOf(dir), {
    events: [[2, 2, 1]],
    snapshots: [
      [2, 0, 0, 0],
      [2, 0, 0, 1],
      [2, 0, 0, 2],
      [2, 2, 0, 0],
    ],
    heads: [
      [2, 0],
      [2, 1],
      [2, 2],
    ],
  });
});

test('a change of partitions that is cut off leaves everything as it was, and can be made later', async (t) => {
  const dir = tempDir(t);
  for (const failing of [0, 1, 4]) {
    const journal = failing === 0 ? await filled(dir) : openLmdb({ dir, writers: 2 });
    await t.throwsAsync(
      journal.relayout(5, (partition) => {
        if (partition === failing) throw new Error('killed');
        return rowsFrom(0, 3 * ROWS_PER_PIECE);
      }),
      { message: 'killed' },
    );
    t.deepEqual(journal.layout, { epoch: 1, writers: 2 });
    t.deepEqual(await contents(journal), FILLED);
    await journal.close();
    const again = openLmdb({ dir, writers: 5 });
    t.deepEqual(again.layout, { epoch: 1, writers: 2 });
    t.deepEqual(await contents(again), FILLED);
    await again.close();
  }
  const journal = openLmdb({ dir, writers: 1 });
  await journal.relayout(1, () => rowsFrom(0, 5));
  await journal.close();
  // Nothing is left of the old layout and of the attempts.
  t.deepEqual(await keysOf(dir), { events: [], snapshots: [[2, 0, 0, 0]], heads: [[2, 0]] });
});

test('what a kill after the switch left of an old layout is not seen, and goes with the next change', async (t) => {
  const dir = tempDir(t);
  const journal = await filled(dir);
  await journal.relayout(2, (partition) => rowsFrom(partition * 10, 2));
  await journal.close();
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  for (const name of ['events', 'snapshots']) {
    const table = environment.openDB<Uint8Array, number[]>({ name, encoding: 'binary' });
    await Promise.all(range(1500).map((index) => table.put([1, 0, index, 0], encodePiece(rowsFrom(500, 1)))));
  }
  await environment.close();
  const again = openLmdb({ dir, writers: 2 });
  t.deepEqual(await contents(again), [contentOf(rowsFrom(0, 2)), contentOf(rowsFrom(10, 2))]);
  await again.relayout(1, () => rowsFrom(0, 1));
  await again.close();
  t.deepEqual(await keysOf(dir), { events: [], snapshots: [[3, 0, 0, 0]], heads: [[3, 0]] });
});
