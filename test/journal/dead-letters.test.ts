import test from 'ava';
import type { Refusal } from '../../src/journal/record.js';
import { RowBatch, WORDS_PER_KEY } from '../../src/model/row.js';
import { pack, rowOf } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { deadLettersOf, openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const NO_ROWS = new Int32Array(0);
const KEY = pack({ modid: -5 }).subarray(0, WORDS_PER_KEY);

function refusalOf(succ: number, peer = 0, code = 'ER_BAD'): Refusal {
  const words = pack({ modid: -5, succ });
  words[8]! |= peer << 1;
  return { words, code, message: `${succ} is bad` };
}

/** A record by which the store refuses value `succ` of the key. */
const refused = (succ: number, at: number, peer = 0) =>
  entryOf(0, NO_ROWS, { at, refused: KEY, refusals: [refusalOf(succ, peer)] });

test('a refused row is a dead letter with its record, and stays one over restarts', async (t) => {
  const dir = tempDir(t);
  let journal = openLmdb({ dir, writers: 1 });
  const peer = journal.peers.number('10.0.0.9');
  await journal.partition(0).append(1, entryOf(1, pack({ modid: -5, succ: 7 })));
  t.is(journal.deadLetters.size, 0);
  await journal.partition(0).append(2, refused(7, 1000, peer));
  const wanted = [
    {
      row: rowOf({ modid: -5, succ: 7 }),
      peer: '10.0.0.9',
      code: 'ER_BAD',
      message: '7 is bad',
      firstAt: 1000,
      lastAt: 1000,
      count: 1,
    },
  ];
  for (let round = 0; round < 2; round++) {
    t.is(journal.deadLetters.size, 1);
    t.true(journal.deadLetters.has(KEY, 0));
    t.false(journal.deadLetters.has(pack({ modid: 5 }), 0));
    t.deepEqual(await deadLettersOf(journal), wanted);
    t.is((await replay(journal.partition(0))).pending.keys, 0);
    await journal.close();
    journal = openLmdb({ dir, writers: 1 });
  }
  await journal.close();
});

test('a key that is refused again is one dead letter: the newest value, counted', async (t) => {
  const journal = openLmdb({ dir: tempDir(t), writers: 1 });
  const partition = journal.partition(0);
  for (const [index, succ] of [7, 9, 8].entries())
    await partition.append(index + 1, refused(succ, 1000 + index));
  t.like(await deadLettersOf(journal), [
    { row: rowOf({ modid: -5, succ: 8 }), firstAt: 1000, lastAt: 1002, count: 3 },
  ]);
  await journal.close();
});

test('a dead letter goes with the record by which a newer value of its key is stored', async (t) => {
  const dir = tempDir(t);
  let journal = openLmdb({ dir, writers: 1 });
  const partition = journal.partition(0);
  await partition.append(1, refused(7, 1000));
  // Another key is no reason.
  await partition.append(
    2,
    entryOf(0, NO_ROWS, { confirmed: pack({ modid: 6 }).subarray(0, WORDS_PER_KEY) }),
  );
  t.true(journal.deadLetters.has(KEY, 0));
  await partition.append(3, entryOf(0, NO_ROWS, { confirmed: KEY }));
  for (let round = 0; round < 2; round++) {
    t.is(journal.deadLetters.size, 0);
    t.deepEqual(await deadLettersOf(journal), []);
    await journal.close();
    journal = openLmdb({ dir, writers: 1 });
  }
  await journal.close();
});

test('a value that was refused is no dead letter when the same record stores a newer one', async (t) => {
  const journal = openLmdb({ dir: tempDir(t), writers: 1 });
  const partition = journal.partition(0);
  const other: Refusal = { ...refusalOf(1), words: pack({ modid: 77 }) };
  await partition.append(
    1,
    entryOf(0, NO_ROWS, { confirmed: KEY, refusedSuperseded: 2, refusals: [refusalOf(7), other] }),
  );
  t.is(journal.deadLetters.size, 1);
  t.deepEqual(
    (await deadLettersOf(journal)).map(({ row }) => row.modid),
    [77],
  );
  await journal.close();
});

test('dead letters are listed by primary key', async (t) => {
  const journal = openLmdb({ dir: tempDir(t), writers: 1 });
  const modids = [3, -4, 0, 0x7fffffff, -0x80000000, 100];
  const rows = pack(...modids.map((modid) => ({ modid })));
  const refusals = [...new RowBatch(rows)].map((row) => ({ words: pack(row), code: 'X', message: '' }));
  await journal.partition(0).append(1, entryOf(0, NO_ROWS, { refusals }));
  t.deepEqual(
    (await deadLettersOf(journal)).map(({ row }) => row.modid),
    modids.toSorted((a, b) => a - b),
  );
  await journal.close();
});
