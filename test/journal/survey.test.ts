import test from 'ava';
import type { PartitionSurvey } from '../../src/journal/contract.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { damageJournal, dumpJournal, flipped } from './dump.js';
import { numbered } from './numbered.js';
import { openLmdb, readLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

async function survey(dir: string): Promise<{ found: PartitionSurvey; kinds: string[] }> {
  const reader = readLmdb(dir);
  const kinds: string[] = [];
  const found = await reader.survey(0, ({ kind }) => kinds.push(kind));
  await reader.close();
  return { found, kinds };
}

test('a survey yields what a replay does, and reads no further than the journal goes', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 2 });
  const partition = journal.partition(0);
  const { pending } = await replay(partition);
  for (let sequence = 1; sequence <= 10; sequence++) {
    const entry = numbered(sequence);
    await partition.append(sequence, entry);
    pending.confirm(entry.record.confirmed, 0);
    pending.fold(entry.record.rows, 5);
    if (sequence === 6) await partition.snapshot(6, 6, pending, () => false);
  }
  await journal.partition(1).append(1, numbered(1));
  await journal.close();
  const { found, kinds } = await survey(dir);
  t.deepEqual(kinds, ['base', 'rows', 'record', 'record', 'record', 'record']);
  t.like(found, {
    head: { sequence: 6, pieces: 1, batchId: 6 },
    records: { count: 4, first: 7, last: 10 },
    lastSequence: 10,
    leftovers: 0,
    problems: [],
  });
});

test('a partition of which nothing is stored is empty, and sound', async (t) => {
  const dir = tempDir(t);
  await openLmdb({ dir, writers: 1 }).close();
  const { found, kinds } = await survey(dir);
  t.deepEqual(kinds, ['base']);
  t.like(found, { records: { count: 0, first: undefined }, lastSequence: 0, leftovers: 0, problems: [] });
});

test('what went into quarantine is no gap; what a kill left behind is no problem', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 1 });
  for (const sequence of [1, 2, 3, 4])
    await journal.partition(0).append(sequence, entryOf(sequence, pack({ modid: sequence })));
  await journal.close();
  await damageJournal(dir, 'events', [1, 0, 2], flipped);
  t.is((await survey(dir)).found.problems.length, 1);
  const again = openLmdb({ dir, writers: 1 });
  await replay(again.partition(0));
  await again.close();
  t.deepEqual((await survey(dir)).found.problems, []);
  await damageJournal(dir, 'events', [1, 0, 1], () => undefined);
  t.like((await survey(dir)).found.problems, [{ place: 'partition 0, record 3' }]);
});

test('batches whose numbers do not rise are told', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 1 });
  for (const [sequence, batchId] of [
    [1, 5],
    [2, 0],
    [3, 5],
  ] as const)
    await journal.partition(0).append(sequence, entryOf(batchId, pack({ modid: sequence })));
  await journal.close();
  t.deepEqual((await survey(dir)).found.problems, [
    { place: 'partition 0, record 3', problem: 'carries batch 5, after batch 5' },
  ]);
});

test('a reader holds the lock, and changes nothing', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 1 });
  await journal.partition(0).append(1, entryOf(1, pack({ modid: 1 })));
  t.throws(() => readLmdb(dir), { code: 'JOURNAL_IN_USE', message: /stop that process/ });
  await journal.close();
  const before = await dumpJournal(dir);
  const reader = readLmdb(dir);
  t.throws(() => openLmdb({ dir, writers: 1 }), { code: 'JOURNAL_IN_USE' });
  t.is(reader.strayEntries, 0);
  await reader.survey(0, () => {});
  await reader.close();
  t.deepEqual(await dumpJournal(dir), before);
});
