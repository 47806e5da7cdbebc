import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { compareKeys, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import { orderSlots } from '../../src/partition/order.js';
import { randomOf } from '../model/samples.js';

/** Words of `rows` rows whose key words `word` gives; all keys differ, for the last word holds the row's number too. */
function rowsOf(rows: number, word: (column: number, row: number) => number): Int32Array {
  const words = new Int32Array(rows * WORDS_PER_ROW);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < WORDS_PER_KEY; column++)
      words[row * WORDS_PER_ROW + column] = word(column, row);
  return words;
}

function ordered(t: ExecutionContext, words: Int32Array, slots: Int32Array): number {
  const wanted = [...slots].sort((a, b) => compareKeys(words, a * WORDS_PER_ROW, words, b * WORDS_PER_ROW));
  let steps = 0;
  for (const _ of orderSlots(() => words, slots)) steps++;
  t.deepEqual([...slots], wanted);
  return steps;
}

/** How key words may look: all bits, few distinct, one byte that differs, the sign only. */
const shapes = {
  anything: (random: (bound: number) => number) => random(0x1_0000_0000) | 0,
  few: (random: (bound: number) => number) => random(3) - 1,
  'one byte': (random: (bound: number) => number) => 0x12345678 ^ (random(256) << 8),
  'sign only': (random: (bound: number) => number) => (random(2) === 0 ? -0x80000000 : 0),
  constant: () => -7,
};
type Shape = keyof typeof shapes;
const names = Object.keys(shapes) as Shape[];

test('slots are ordered by the primary key of their rows, whatever the keys share', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 2, 511, 512, 513, 1000, 3000),
      fc.array(fc.constantFrom(...names), { minLength: WORDS_PER_KEY, maxLength: WORDS_PER_KEY }),
      fc.integer(),
      (count, columns, seed) => {
        const random = randomOf(seed);
        const words = rowsOf(2 * count, (column, row) =>
          column === WORDS_PER_KEY - 1 ? row * 7 - count : shapes[columns[column]!](random),
        );
        // Every second slot, shuffled.
        const slots = Int32Array.from({ length: count }, (_, index) => 2 * index);
        for (let index = count - 1; index > 0; index--) {
          const other = random(index + 1);
          [slots[index], slots[other]] = [slots[other]!, slots[index]!];
        }
        ordered(t, words, slots);
      },
    ),
    { numRuns: 60 },
  );
});

test('a large set is ordered step by step, so that others may run in between', (t) => {
  const random = randomOf(5);
  const words = rowsOf(20_000, (column, row) => (column === 4 ? row - 10_000 : random(0x1_0000_0000) | 0));
  t.true(
    ordered(
      t,
      words,
      Int32Array.from({ length: 20_000 }, (_, slot) => slot),
    ) >= 16,
  );
});

test('rows may move to other memory between the steps', (t) => {
  let words = rowsOf(2000, (_, row) => (row * 7919) % 2003);
  const original = words;
  const slots = Int32Array.from({ length: 2000 }, (_, slot) => slot);
  for (const _ of orderSlots(() => words, slots)) words = words.slice();
  t.not(words, original);
  for (let index = 1; index < slots.length; index++)
    t.true(compareKeys(words, slots[index - 1]! * WORDS_PER_ROW, words, slots[index]! * WORDS_PER_ROW) < 0);
});
