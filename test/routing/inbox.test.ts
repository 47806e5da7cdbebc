import test from 'ava';
import fc from 'fast-check';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { Inbox } from '../../src/routing/inbox.js';
import type { Credit } from '../../src/routing/protocol.js';
import { pack } from '../model/samples.js';

const credit = (isAwaited = false): Credit => ({ outstanding: 0, isAwaited, settled: () => {} });
const rowsOf = (first: number, count: number) =>
  pack(...Array.from({ length: count }, (_, index) => ({ ip: first + index })));

test('whatever is offered and taken in whichever order, every row comes once, in order, with the credit of its sender', (t) => {
  const step = fc.record({ offered: fc.array(fc.nat(5), { maxLength: 4 }), taken: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let signals = 0;
      const inbox = new Inbox(
        () => ++signals > 0,
        () => true,
      );
      const wanted: { credit: Credit; ip: number }[] = [];
      const seen: typeof wanted = [];
      let next = 0;
      const take = (rows: number) => {
        const before = inbox.rows;
        const taken = inbox.take(rows);
        const { words } = inbox;
        let count = 0;
        for (const { from, to, credit: own } of taken)
          for (let at = from; at < to; at += WORDS_PER_ROW, count++)
            seen.push({ credit: own, ip: words[at + 2]! });
        t.is(inbox.rows, before - count);
      };
      for (const { offered, taken } of steps) {
        for (const size of offered) {
          const own = credit();
          inbox.offer(rowsOf(next, size + 1), own);
          for (let row = 0; row <= size; row++) wanted.push({ credit: own, ip: next++ });
        }
        take(taken);
      }
      while (inbox.rows > 0) take(100);
      t.deepEqual(
        seen.map(({ ip }) => ip),
        wanted.map(({ ip }) => ip),
      );
      t.true(seen.every(({ credit: own }, index) => own === wanted[index]!.credit));
    }),
  );
});

test('rows that may wait are not told of one by one; those that are awaited are told of at once', (t) => {
  let signals = 0;
  const inbox = new Inbox(
    () => ++signals > 0,
    () => false,
  );
  for (let chunk = 0; chunk < 100; chunk++) inbox.offer(rowsOf(chunk, 1), credit());
  t.is(signals, 0);
  inbox.offer(rowsOf(0, 1), credit(true));
  t.is(signals, 1);
  t.is(inbox.take(1000).length, 101);
  t.is(inbox.rows, 0);
});

test('so many rows as fill a batch do not wait', (t) => {
  let signals = 0;
  const inbox = new Inbox(
    () => ++signals > 0,
    () => false,
  );
  for (let chunk = 0; chunk < 17; chunk++) inbox.offer(rowsOf(0, 1000), credit());
  t.is(signals, 1);
});

test('a few rows each of thousands of senders take the memory of these rows, and no more', (t) => {
  const inbox = new Inbox(
    () => true,
    () => false,
  );
  const senders = 20_000;
  for (let sender = 0; sender < senders; sender++) inbox.offer(rowsOf(sender, 2), credit());
  t.true(inbox.words.byteLength <= 2 * senders * 2 * WORDS_PER_ROW * 4);
});
