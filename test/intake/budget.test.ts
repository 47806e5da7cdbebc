import test from 'ava';
import fc from 'fast-check';
import { InflightBudget, type Reader } from '../../src/intake/budget.js';

class CountedReader implements Reader {
  parked = false;
  changes = 0;

  park(): void {
    if (this.parked) throw new Error('parked twice');
    this.parked = true;
    this.changes++;
  }

  unpark(): void {
    this.parked = false;
    this.changes++;
  }
}

const CHUNK = 100;

test('nobody reads while more than the limit is not journaled, until half of it is', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: CHUNK })), { maxLength: 100, size: 'max' }),
      (limit, steps) => {
        const readers = [new CountedReader(), new CountedReader(), new CountedReader()];
        const budget = new InflightBudget({ maxInflightBytes: limit }, readers);
        const inflight: number[] = [];
        let parked = false;
        for (const [reads, bytes] of steps) {
          // Who is parked reads nothing.
          if (reads && !parked) {
            inflight.push(bytes);
            budget.read(bytes);
          } else if (inflight.length > 0) budget.journaled(inflight.shift()!);
          const sum = inflight.reduce((total, chunk) => total + chunk, 0);
          if (sum > limit) parked = true;
          else if (sum <= limit / 2) parked = false;
          t.is(budget.bytes, sum);
          t.is(budget.parked, parked);
          t.true(readers.every((reader) => reader.parked === parked));
          t.true(budget.bytes <= limit + CHUNK, 'one chunk over the limit is the most');
        }
        for (const bytes of inflight) budget.journaled(bytes);
        t.is(budget.bytes, 0);
        t.true(readers.every((reader) => !reader.parked && reader.changes % 2 === 0));
      },
    ),
  );
});

test('connections that come while everybody is parked are let read with the others', (t) => {
  const readers = new Set<CountedReader>([new CountedReader()]);
  const budget = new InflightBudget({ maxInflightBytes: 10 }, readers);
  budget.read(11);
  const newcomer = new CountedReader();
  newcomer.park();
  readers.add(newcomer);
  // More of what was under way: nobody is parked twice.
  budget.read(5);
  budget.journaled(11);
  t.true([...readers].every((reader) => !reader.parked));
});
