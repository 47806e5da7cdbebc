import test from 'ava';
import type { PartitionJournal } from '../../src/journal/contract.js';
import type { DeadLetterFilter } from '../../src/model/dead-letter.js';
import { WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import { keyOfDeadLetter, pageOfDeadLetters, settleDeadLetters } from '../../src/partition/dead-letters.js';
import { redeliver } from '../../src/partition/redelivery.js';
import { all, deadLettersOf, openLmdb, readLmdb } from '../journal/opened.js';
import { entryOf, replay } from '../journal/replay.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';

const NO_ROWS = new Int32Array(0);
const keyOf = (modid: number) => pack({ modid }).slice(0, WORDS_PER_KEY);
const never = () => false;
const drop = (journal: PartitionJournal, keys: readonly Int32Array[], filter: DeadLetterFilter) =>
  settleDeadLetters(
    { action: 'drop', keys, filter },
    { journal, isPending: never, commit: () => Promise.reject(new Error('nothing is appended')) },
  );

/** A journal with a dead letter of each of these services, refused at second 1. */
async function withLetters(dir: string, ...modids: number[]) {
  const journal = openLmdb({ dir, writers: 1 });
  const peer = journal.peers.number('10.0.0.9');
  const refusals = modids.map((modid) => {
    const words = pack({ modid, succ: 7, overload: true });
    words[8]! |= peer << 1;
    return { words, code: modid % 2 === 0 ? 'EVEN' : 'ODD', message: '' };
  });
  const partition = journal.partition(0);
  await partition.append(1, entryOf(0, NO_ROWS, { at: 1000, refusals }));
  return { journal, partition, refusals };
}

test('a replayed row is the one that was refused, sender included', async (t) => {
  const { journal, partition, refusals } = await withLetters(tempDir(t), -3);
  const { rows, released, kept } = await redeliver(partition, [keyOf(-3), keyOf(4)], {}, never);
  t.deepEqual(rows, refusals[0]!.words);
  t.deepEqual(released, [keyOf(-3)]);
  t.is(kept, 0);
  await journal.close();
});

test('a row whose sender has no number is replayed as one of an unknown sender', async (t) => {
  const { journal, partition } = await withLetters(tempDir(t), 1);
  await partition.append(
    2,
    entryOf(0, NO_ROWS, { at: 1000, refusals: [{ words: pack({ modid: 2 }), code: '', message: '' }] }),
  );
  t.is((await deadLettersOf(journal))[1]!.peer, 'unknown');
  t.deepEqual((await redeliver(partition, [keyOf(2)], {}, never)).rows, pack({ modid: 2 }));
  await journal.close();
});

test('a key that is pending is released, its row not replayed; a letter the filter does not mean is left', async (t) => {
  const { journal, partition } = await withLetters(tempDir(t), 1, 2, 3);
  const keys = [1, 2, 3].map(keyOf);
  const { rows, released } = await redeliver(partition, keys, { code: 'ODD' }, (key) => key[0] === 3);
  t.is(rows.length, WORDS_PER_ROW);
  t.is(rows[0], 1);
  t.deepEqual(released, [keyOf(1), keyOf(3)]);
  await journal.close();
});

test('a letter is left alone when a record came into quarantine after it', async (t) => {
  const { journal, partition } = await withLetters(tempDir(t), 1, 2);
  await partition.append(2, entryOf(1, pack({ modid: 9 })));
  await partition.quarantine(2, new Error('damaged'));
  const later = { at: Date.now() + 1000, refusals: [{ words: pack({ modid: 2 }), code: '', message: '' }] };
  await partition.append(3, entryOf(0, NO_ROWS, later));
  const { rows, released, kept } = await redeliver(partition, [keyOf(1), keyOf(2)], {}, never);
  t.deepEqual(rows, pack({ modid: 2 }), 'refused since: it can be replayed');
  t.deepEqual(released, [keyOf(2)]);
  t.is(kept, 1);
  t.deepEqual(
    (await redeliver(partition, [keyOf(1)], {}, () => true)).released,
    [keyOf(1)],
    'pending: of no more use',
  );
  await journal.close();
});

test('a record and the letters it releases are one: both are there after a restart', async (t) => {
  const dir = tempDir(t);
  const { journal, partition } = await withLetters(dir, 1, 2);
  const { rows, released } = await redeliver(partition, [keyOf(1)], {}, never);
  await partition.append(2, { ...entryOf(0, rows), released });
  t.is(journal.deadLetters.size, 1);
  await journal.close();
  const again = openLmdb({ dir, writers: 1 });
  t.deepEqual(
    (await deadLettersOf(again)).map(({ row }) => row.modid),
    [2],
  );
  t.is((await replay(again.partition(0))).pending.keys, 1);
  await again.close();
});

test('drop removes what the filter means, durably', async (t) => {
  const dir = tempDir(t);
  const { journal, partition } = await withLetters(dir, 1, 2, 3);
  t.is((await drop(partition, [1, 2, 3, 4].map(keyOf), { code: 'ODD' })).dropped, 2);
  t.is(journal.deadLetters.size, 1);
  await journal.close();
  const reader = readLmdb(dir);
  t.deepEqual(
    (await all(reader.storedDeadLetters())).map(({ deadLetter }) => deadLetter.row.modid),
    [2],
  );
  await reader.close();
});

test('many letters are read in order, some at a time, whatever goes meanwhile', async (t) => {
  const modids = Array.from({ length: 1000 }, (_, index) => index - 500);
  const { journal, partition } = await withLetters(tempDir(t), ...modids);
  const seen: number[] = [];
  for await (const some of journal.deadLetters.read({})) {
    seen.push(...some.map(({ row }) => row.modid));
    await drop(partition, some.map(keyOfDeadLetter), {});
  }
  t.deepEqual(seen, modids);
  t.is(journal.deadLetters.size, 0);
  await journal.close();
});

test('a page counts all that the filter means', async (t) => {
  const modids = Array.from({ length: 450 }, (_, index) => index);
  const { journal } = await withLetters(tempDir(t), ...modids);
  const page = async (...question: [DeadLetterFilter, number, number]) => {
    const { total, letters } = await pageOfDeadLetters(journal.deadLetters, ...question);
    return [total, letters.map(({ row }) => row.modid)];
  };
  t.deepEqual(await page({}, 199, 3), [450, [199, 200, 201]]);
  t.deepEqual(await page({ code: 'ODD' }, 222, 9), [225, [445, 447, 449]]);
  t.deepEqual(await page({ modid: 7 }, 0, 9), [1, [7]]);
  t.deepEqual(await page({ modid: 7, cmdid: 3 }, 0, 9), [0, []]);
  t.deepEqual(await page({ cmdid: 2 }, 448, 9), [450, [448, 449]]);
  t.deepEqual(await page({}, 1000, 9), [450, []]);
  await journal.close();
  await t.throwsAsync(pageOfDeadLetters(journal.deadLetters, {}, 0, 1), { code: 'JOURNAL_UNUSABLE' });
});
