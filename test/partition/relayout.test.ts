import test from 'ava';
import type { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import { CMDID, MODID, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import { partitionOf } from '../../src/partition/hash.js';
import { moveToPartitions } from '../../src/partition/relayout.js';
import { openLmdb } from '../journal/opened.js';
import { entryOf, replay } from '../journal/replay.js';
import { pack, randomOf } from '../model/samples.js';
import { tempDir } from '../support/temp.js';

/** All rows of all partitions, each as text with the time it waits since; throws when one is in a wrong partition. */
async function table(journal: LmdbJournal): Promise<string[]> {
  const rows: string[] = [];
  const { writers } = journal.layout;
  for (let index = 0; index < writers; index++) {
    const { pending } = await replay(journal.partition(index));
    const words = pending.copySlots(0, pending.slotEnd);
    for (let at = 0; at < words.length; at += WORDS_PER_ROW) {
      if (partitionOf(words[at + MODID]!, words[at + CMDID]!, writers) !== index)
        throw new Error(`a row of partition ${index} belongs elsewhere`);
      rows.push(words.subarray(at, at + WORDS_PER_ROW).join(' '));
    }
  }
  return rows.sort();
}

test('changing writers.count between runs moves pending rows to their partitions and loses none', async (t) => {
  const dir = tempDir(t);
  const random = randomOf(11);
  let journal = openLmdb({ dir, writers: 4 });
  for (let index = 0; index < 4; index++) {
    const partition = journal.partition(index);
    const { pending } = await replay(partition);
    for (let sequence = 1; sequence <= 12; sequence++) {
      const services = Array.from({ length: 60 }, () => [random(40) - 20, random(5) - 2] as const);
      const rows = pack(
        ...services
          .filter(([modid, cmdid]) => partitionOf(modid, cmdid, 4) === index)
          .map(([modid, cmdid]) => ({
            modid,
            cmdid,
            ip: random(9),
            succ: random(1000),
            overload: sequence > 6,
          })),
      );
      // A key is stored with each batch.
      const confirmed = pending.copySlots(0, 1).slice(0, WORDS_PER_KEY);
      const refused = pending.copySlots(1, 2).slice(0, WORDS_PER_KEY);
      await partition.append(sequence, entryOf(sequence, rows, { at: sequence * 1000, confirmed, refused }));
      pending.confirm(confirmed, 0);
      pending.confirm(refused, 0);
      pending.fold(rows, sequence);
      if (sequence === 5 + index) await partition.snapshot(sequence, sequence, pending, () => false);
    }
  }
  const before = await table(journal);
  t.true(before.length > 300);
  await journal.close();

  for (const writers of [7, 2, 1, 1, 4]) {
    journal = openLmdb({ dir, writers });
    t.is(await moveToPartitions(journal, writers), before.length);
    t.is(journal.layout.writers, writers);
    await journal.close();
    journal = openLmdb({ dir, writers });
    t.is(journal.layout.writers, writers);
    t.deepEqual(await table(journal), before);
    await journal.close();
  }
});

test('an empty journal can be divided anew', async (t) => {
  const journal = openLmdb({ dir: tempDir(t), writers: 2 });
  t.is(await moveToPartitions(journal, 3), 0);
  t.deepEqual(await table(journal), []);
  await journal.close();
});
