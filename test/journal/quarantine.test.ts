import test from 'ava';
import { open } from 'lmdb';
import { ROWS_PER_PIECE } from '../../src/journal/record.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { journalStates, openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

/** Changes one byte of a value, as a failing disk may. */
async function damage(dir: string, table: string, key: number[]): Promise<void> {
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  const values = environment.openDB<Uint8Array, number[]>({ name: table, encoding: 'binary' });
  const bytes = Uint8Array.from(values.get(key)!);
  bytes[bytes.length - 3]! ^= 16;
  await values.put(key, bytes);
  await environment.close();
}

function openJournal(dir: string) {
  const { events, told } = journalStates();
  return { journal: openLmdb({ dir, writers: 2, events }), told };
}

test('a damaged record is put aside and said once; the others are replayed, and appends go on', async (t) => {
  const dir = tempDir(t);
  const { journal } = openJournal(dir);
  const partition = journal.partition(1);
  for (const sequence of [1, 2, 3, 4])
    await partition.append(sequence, entryOf(sequence, pack({ modid: sequence })));
  const bytesEach = partition.sinceSnapshot.bytes / 4;
  await journal.close();
  await damage(dir, 'events', [1, 1, 2]);

  for (const known of [false, true]) {
    const again = openJournal(dir);
    const reopened = again.journal.partition(1);
    const { records, last, pending } = await replay(reopened);
    t.deepEqual(
      records.map(({ sequence }) => sequence),
      known ? [1, 3, 4, 5] : [1, 3, 4],
    );
    t.is(pending.keys, known ? 4 : 3);
    t.deepEqual(again.told, known ? [] : ['1 2 ReporterError']);
    t.is(again.journal.quarantined, 1);
    t.deepEqual(reopened.sinceSnapshot, { events: records.length, bytes: records.length * bytesEach });
    if (!known) await reopened.append(last + 1, entryOf(5, pack({ modid: 5 })));
    await again.journal.close();
  }
});

test('a record that is taken out of the way leaves its batch, and the number of rows that went with it', async (t) => {
  const dir = tempDir(t);
  const { journal, told } = openJournal(dir);
  const partition = journal.partition(0);
  await partition.append(1, entryOf(8, pack({ modid: 1 })));
  await partition.append(2, entryOf(9, pack({ modid: 2 }, { modid: 3 }), { received: 5 }));
  await partition.quarantine(2, new TypeError('cannot be applied'));
  await partition.quarantine(77, new TypeError('is not there'));
  t.deepEqual(told, ['0 2 TypeError']);
  const { records, batchId, pending } = await replay(partition);
  t.is(batchId, 9);
  t.is(pending.keys, 1);
  t.like(records.at(-1), { sequence: 2, record: { batchId: 9, received: 5, quarantined: 5 } });
  t.is(records.at(-1)?.record.rows.length, 0);
  t.is(journal.quarantined, 1);
  await journal.close();
});

test('of a snapshot with a damaged piece the other pieces are restored', async (t) => {
  const dir = tempDir(t);
  const { journal } = openJournal(dir);
  const partition = journal.partition(0);
  const { pending } = await replay(partition);
  const rows = pack(...Array.from({ length: ROWS_PER_PIECE + 10 }, (_, modid) => ({ modid })));
  await partition.append(1, entryOf(1, rows));
  pending.fold(rows, 5);
  t.true(await partition.snapshot(1, 1, pending, () => false));
  await partition.append(2, entryOf(2, pack({ modid: -1 })));
  await journal.close();
  await damage(dir, 'snapshots', [1, 0, 1, 1]);
  const again = openJournal(dir);
  const { last, pending: restored } = await replay(again.journal.partition(0));
  t.is(last, 2);
  t.is(restored.keys, ROWS_PER_PIECE + 1);
  t.deepEqual(again.told, ['0 1 ReporterError']);
  await again.journal.close();
});
