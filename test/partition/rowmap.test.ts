import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { SINCE, SUCC, WORDS_PER_ROW } from '../../src/model/row.js';
import { RowMap } from '../../src/partition/rowmap.js';
import { contentOf, keyOf, pack, randomOf } from '../model/samples.js';

type Operation = readonly [kind: 'put' | 'find' | 'remove' | 'clear', key: number, value: number];

/** Keys that differ in any of the five words. */
function row(key: number, value: number): Int32Array {
  const part = (index: number) => ((key >> (index * 2)) & 3) - 1;
  return pack({
    modid: part(0),
    cmdid: part(1),
    ip: part(2),
    port: part(3) + (key >> 10) * 4,
    caller: part(4),
    succ: value,
  });
}

/** A map beside a plain one that says what it should hold. */
class Checked {
  readonly map = new RowMap();
  readonly model = new Map<string, { slot: number; value: number; since: number }>();
  #puts = 0;
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.#t = t;
  }

  run([kind, key, value]: Operation): void {
    const { map, model } = this;
    const t = this.#t;
    const words = row(key, value);
    const known = model.get(keyOf(words));
    switch (kind) {
      case 'put': {
        const slot = map.put(words, 0);
        t.is(map.replaced, known !== undefined);
        // The owner's word: 1 in a new row, kept when the row is replaced.
        const at = slot * WORDS_PER_ROW + SINCE;
        if (known) t.is(slot, known.slot);
        t.is(map.words[at], known?.since ?? 1);
        // Owners may set any value, also the one that marks what was removed.
        const since = this.#puts++ % 5;
        map.words[at] = since;
        model.set(keyOf(words), { slot, value, since });
        break;
      }
      case 'find':
        t.is(map.find(words, 0), known?.slot ?? -1);
        break;
      case 'remove':
        t.is(map.remove(words, 0), known?.slot ?? -1);
        model.delete(keyOf(words));
        break;
      case 'clear':
        map.clear();
        model.clear();
        break;
    }
    t.is(map.size, model.size);
  }

  /** Every key is found where it was put, with its newest value, and no two share a slot. */
  check(): void {
    const t = this.#t;
    const slots = new Set<number>();
    for (const [key, { slot, value, since }] of this.model) {
      const at = slot * WORDS_PER_ROW;
      if (
        slot >= this.map.high ||
        slots.has(slot) ||
        keyOf(this.map.words, at) !== key ||
        this.map.words[at + SUCC] !== value ||
        this.map.words[at + SINCE] !== since ||
        this.map.find(this.map.words, at) !== slot
      )
        t.fail(`the row of key ${key} is not in its slot ${slot}`);
      slots.add(slot);
    }
    t.true(this.map.high <= this.map.capacity);
  }
}

const operations = (keys: number) =>
  fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 10, arbitrary: fc.constant('put' as const) },
        { weight: 3, arbitrary: fc.constant('find' as const) },
        { weight: 8, arbitrary: fc.constant('remove' as const) },
        { weight: 1, arbitrary: fc.constant('clear' as const) },
      ),
      fc.nat(keys - 1),
      fc.nat(1000),
    ),
    { maxLength: 300, size: 'max' },
  );

test('a map holds the newest row of each key, in one slot as long as it is there, among few keys', (t) => {
  fc.assert(
    fc.property(operations(60), (list) => {
      const checked = new Checked(t);
      for (const operation of list) {
        checked.run(operation);
        checked.check();
      }
    }),
    { numRuns: 60 },
  );
});

test('it does so among thousands of keys, while it grows, thins out and grows again', (t) => {
  for (const seed of [1, 2, 3]) {
    const random = randomOf(seed);
    const checked = new Checked(t);
    for (const removals of [1, 9, 2, 10, 0]) {
      for (let index = 0; index < 12_000; index++) {
        checked.run([random(10) < removals ? 'remove' : 'put', random(8000), random(1000)]);
      }
      checked.check();
    }
    t.true(checked.model.size > 4096, 'it grew');
    for (let times = 0; times < 12; times++) {
      checked.run(['clear', 0, 0]);
      checked.run(['put', 7, 7]);
      checked.check();
    }
    t.true(checked.map.capacity < 4096, 'a cleared map gives its memory back');
  }
});

test('removing all rows one by one leaves a map as good as new', (t) => {
  const checked = new Checked(t);
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < 5000; key++) checked.run(['put', key, round]);
    for (let key = 0; key < 5000; key++) checked.run(['remove', (key * 7) % 5000, 0]);
    t.is(checked.map.high, 0);
  }
});

test('the rows of a map are each key once, newest value, in the order keys came first', (t) => {
  const puts = fc.array(fc.tuple(fc.nat(400), fc.nat(1000)), { maxLength: 400, size: 'max' });
  fc.assert(
    fc.property(fc.array(puts, { maxLength: 4 }), (rounds) => {
      const map = new RowMap();
      for (const round of rounds) {
        const wanted = new Map<string, string>();
        for (const [key, value] of round) {
          map.put(row(key, value), 0);
          const [[text, content]] = [...contentOf(row(key, value))] as [[string, string]];
          wanted.set(text, content);
        }
        const rows = map.rows();
        t.is(rows.length, wanted.size * WORDS_PER_ROW);
        t.deepEqual([...contentOf(rows)], [...wanted]);
        map.clear();
        t.is(map.size, 0);
        for (const [key] of round) t.is(map.find(row(key, 0), 0), -1);
      }
    }),
    { numRuns: 60 },
  );
});

test('what comes in the same order again, with keys missing, added and removed, is found as what comes in any order', (t) => {
  const change = fc.tuple(fc.constantFrom('put' as const, 'remove' as const), fc.nat(99), fc.nat(9));
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }), (rounds) => {
      const checked = new Checked(t);
      for (const [round, changes] of rounds.entries()) {
        for (let key = 0; key < 80; key++) if (key % (round + 2) !== 1) checked.run(['put', key, round]);
        for (const one of changes) checked.run(one);
        checked.check();
      }
    }),
    { numRuns: 100 },
  );
});

test('a map that held much does not keep much when little follows again and again', (t) => {
  const map = new RowMap();
  for (let key = 0; key < 20_000; key++) map.put(row(key, key), 0);
  const large = map.capacity;
  map.clear();
  t.is(map.capacity, large, 'the next one may be as large');
  for (let times = 0; times < 12; times++) {
    map.put(row(1, times), 0);
    map.clear();
  }
  t.true(map.capacity < 100);
  map.put(row(2, 2), 0);
  t.is(map.find(row(2, 0), 0), 0);
});

test('a row that comes where another one was expected is a row of its own, whichever column of its key differs', (t) => {
  const key = { modid: 1, cmdid: 2, ip: 3, port: 4, caller: 5 };
  for (const column of ['modid', 'cmdid', 'ip', 'port', 'caller'] as const) {
    const map = new RowMap();
    const [first, expected] = [pack({ ...key, ip: 99 }), pack({ ...key, succ: 1 })];
    // The second one comes after the first, again and again.
    for (let round = 0; round < 3; round++) for (const one of [first, expected]) map.put(one, 0);
    map.put(first, 0);
    const other = map.put(pack({ ...key, [column]: 77, succ: 2 }), 0);
    t.false(map.replaced, column);
    t.is(map.size, 3, column);
    t.not(map.find(expected, 0), other, column);
    t.is(map.words[map.find(expected, 0) * WORDS_PER_ROW + SUCC], 1, column);
  }
});
