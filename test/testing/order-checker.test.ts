import test from 'ava';
import fc from 'fast-check';
import type { Report } from '../../src/index.js';
import { type Row, RowBatch } from '../../src/model/row.js';
import {
  isNumbered,
  keyOf,
  MemoryStore,
  numberedReport,
  OrderChecker,
  OrderError,
  rowsOf,
} from '../../src/testing/index.js';
import { batch, row } from '../support/rows.js';

const LANE = { partition: 0, partitions: 2, journalId: 'one' };

/** A report of one host. */
const reportOf = ({ modid, cmdid, caller, ts, ip, port, succ, err, overload }: Row): Report => ({
  ...{ modid, cmdid, caller, ts },
  results: [{ ip, port, succ, err, overload }],
});

/** The violations that `verify` lists. */
function found(order: OrderChecker, options?: Parameters<OrderChecker['verify']>[0]): readonly string[] {
  try {
    order.verify(options);
    return [];
  } catch (error) {
    if (error instanceof OrderError) return error.violations;
    throw error;
  }
}

/** A checker that was told of these values of one key, and a writer of a store it watches. */
function sent(...values: readonly Partial<Row>[]) {
  const order = new OrderChecker();
  for (const value of values) order.sent(reportOf(row(value)));
  const store = new MemoryStore();
  const writer = order.watch(store).writer(LANE);
  const write = (...rows: readonly Partial<Row>[]) => writer.upsert(batch(rows.map(row)));
  return { order, store, writer, write };
}

test('values in order, some left out and some written again, are right', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 9 }, { succ: 2 }, { succ: 5 });
  for (const succ of [1, 1, 2, 2, 5, 5]) await write({ succ });
  t.deepEqual(found(order), []);
  t.is(order.keys, 1);
  t.is(order.writes, 6);
});

test('a step back is found by the order of sending, whichever way the numbers go', async (t) => {
  const { order, write } = sent({ succ: 9 }, { succ: 2 }, { succ: 5 });
  await write({ succ: 2 });
  await write({ succ: 9 });
  t.deepEqual(order.violations, ['1/2/3/4/5 went back to succ=9 err=7 ts=8 overload=0']);
  // What follows is judged as if the step had not been.
  await write({ succ: 5 });
  t.is(found(order).length, 1);
});

for (const [column, value] of Object.entries({ succ: 1, err: 1, ts: 1, overload: true })) {
  test(`values are compared as a whole: a write that differs in ${column} was never sent`, async (t) => {
    const { order, write } = sent({});
    await write({ [column]: value });
    t.is(order.violations.length, 1);
    t.regex(order.violations[0]!, /^1\/2\/3\/4\/5 was written with succ=.*, which was never sent$/);
  });
}

test('a value that was sent for another key, or for no key at all, was never sent for this one', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 2, port: 80 });
  await write({ succ: 2 });
  await write({ succ: 1, port: 81 });
  t.is(order.violations.length, 2);
});

test('a value that is written before it is sent was never sent', async (t) => {
  const { order, write } = sent({ succ: 1 });
  await write({ succ: 2 });
  order.sent(reportOf(row({ succ: 2 })));
  t.is(order.violations.length, 1);
});

test('a value that repeats may be written each time it was sent, and no later', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 2 }, { succ: 1 }, { succ: 3 });
  for (const succ of [1, 2, 1, 3]) await write({ succ });
  t.deepEqual(order.violations, []);
  await write({ succ: 1 });
  t.is(order.violations.length, 1);
});

test('a final value that is not the last one sent is found', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 2 });
  await write({ succ: 1 });
  t.deepEqual(found(order), [
    '1/2/3/4/5 ended at succ=1 err=7 ts=8 overload=0, sent last was succ=2 err=7 ts=8 overload=0',
  ]);
  await write({ succ: 2 });
  t.deepEqual(found(order), []);
});

test('a key that was sent and is missing is found; named keys are exempt from that', async (t) => {
  const { order, write } = sent({ port: 80 }, { port: 81 }, { port: 82 });
  await write({ port: 81 });
  t.deepEqual(found(order), ['1/2/3/80/5 was sent and is missing', '1/2/3/82/5 was sent and is missing']);
  t.deepEqual(found(order, { exempt: [row({ port: 80 }), row({ port: 82 })] }), []);
});

test('an exempt key is not exempt from going backwards', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 2 });
  await write({ succ: 2 });
  await write({ succ: 1 });
  t.is(found(order, { exempt: [row()] }).length, 1);
});

test('rows of a store that are given count instead of what was seen, rows nobody sent included', async (t) => {
  const { order, write } = sent({ succ: 1 }, { succ: 2 }, { port: 80 });
  await write({ succ: 2 }, { port: 80 });
  t.deepEqual(found(order, { rows: [row({ succ: 2 }), row({ port: 80 })] }), []);
  t.deepEqual(found(order, { rows: [row({ succ: 1 }), row({ port: 99 })] }), [
    '1/2/3/4/5 ended at succ=1 err=7 ts=8 overload=0, sent last was succ=2 err=7 ts=8 overload=0',
    '1/2/3/80/5 was sent and is missing',
    '1/2/3/99/5 is stored and was never sent',
  ]);
});

test('a statement whose rows are out of primary-key order, or that names a key twice, is found', async (t) => {
  const { order, writer } = sent({ ip: -1 }, { ip: 0 });
  const [low, high] = [row({ ip: -1 }), row({ ip: 0 })];
  const statement = (...rows: Row[]) => writer.upsert(RowBatch.from(rows));
  await statement(low, high);
  t.deepEqual(order.violations, []);
  await statement(high, low);
  await statement(low, low);
  t.deepEqual(order.violations, [
    '1/2/-1/4/5 is out of primary-key order',
    '1/2/-1/4/5 stands in a statement twice',
  ]);
});

test('a second statement in flight of a partition is found; other partitions and journals are others', async (t) => {
  const order = new OrderChecker();
  for (const port of [1, 2, 3, 4]) order.sent(reportOf(row({ port })));
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const store = order.watch({
    ...{ description: 'slow', open: async () => {}, check: async () => {}, close: async () => {} },
    writer: () => ({ upsert: () => gate, close: async () => {} }),
  });
  const upsert = (port: number, lane: Partial<typeof LANE> = {}) =>
    store.writer({ ...LANE, ...lane }).upsert(batch([row({ port })]));
  const writes = [upsert(1), upsert(2, { partition: 1 }), upsert(3, { journalId: 'two' })];
  t.deepEqual(order.violations, []);
  writes.push(upsert(4));
  t.deepEqual(order.violations, ['partition 0 has 2 statements in flight']);
  go();
  await Promise.all(writes);
  await upsert(1);
  t.is(found(order).length, 1);
});

test('a statement that was rejected counts as written, and is no final value', async (t) => {
  const order = new OrderChecker();
  for (const succ of [1, 2]) order.sent(reportOf(row({ succ })));
  let fails = true;
  const store = order.watch({
    ...{ description: 'failing', open: async () => {}, check: async () => {}, close: async () => {} },
    writer: () => ({
      upsert: async () => {
        if (fails) throw new Error('lost');
      },
      close: async () => {},
    }),
  });
  const upsert = (succ: number) => store.writer(LANE).upsert(batch([row({ succ })]));
  await t.throwsAsync(upsert(2));
  t.deepEqual(found(order), ['1/2/3/4/5 was sent and is missing']);
  fails = false;
  await upsert(1);
  t.is(order.violations.length, 1, 'a writer that has asked for 2 does not ask for 1');
  await upsert(2);
  t.is(found(order).length, 1);
});

test('writes that somebody else saw are judged like others', (t) => {
  const order = new OrderChecker();
  for (const succ of [1, 2, 3]) order.sent(reportOf(row({ succ })));
  order.wrote([row({ succ: 1 }), row({ succ: 3 }), row({ succ: 2 })]);
  t.is(order.violations.length, 1);
  t.is(found(order).length, 2, 'it ended at 2');
});

test('addresses are the same signed and unsigned, counters the same saturated', (t) => {
  const order = new OrderChecker();
  const report = { ...numberedReport(1, 0xc0a80001, 1, 5) };
  order.sent({ ...report, results: [{ ...report.results[0]!, succ: 0xffffffff }] });
  const [sentRow] = rowsOf(report);
  t.true(sentRow!.caller < 0);
  order.wrote([{ ...sentRow!, succ: 0x7fffffff }]);
  t.deepEqual(found(order), []);
});

test('what is wrong is counted in full and named in part', async (t) => {
  const { order, write } = sent({ succ: 1 });
  for (let succ = 2; succ < 102; succ++) await write({ succ });
  t.is(order.violations.length, 20);
  t.throws(() => order.verify(), { instanceOf: OrderError, message: /^101 violations: .*; and 96 more$/s });
});

/** What may happen to one of three keys: a value is sent, or written. */
const action = (values: number) =>
  fc.record({ is: fc.constantFrom('sent', 'written'), key: fc.nat(2), value: fc.nat(values) });

/** Every position a key may be at, all of which are tried: brute force. */
class Model {
  readonly #sent = [0, 1, 2].map(() => [] as number[]);
  readonly #possible = [0, 1, 2].map(() => [-1]);
  readonly #final: (number | undefined)[] = [undefined, undefined, undefined];
  wrong = 0;

  sent(key: number, value: number): void {
    this.#sent[key]!.push(value);
  }

  written(key: number, value: number): void {
    const possible = this.#sent[key]!.flatMap((each, at) =>
      each === value && this.#possible[key]!.some((from) => from <= at) ? [at] : [],
    );
    if (possible.length === 0) this.wrong++;
    else this.#possible[key] = possible;
    this.#final[key] = value;
  }

  /** Keys that are missing, or not at their last value. */
  get wrongAtTheEnd(): number {
    return this.#sent.filter((values, key) => values.length > 0 && values.at(-1) !== this.#final[key]).length;
  }
}

for (const values of [2, 6, 300]) {
  test(`of any values (up to ${values + 1}) sent and written in any order, exactly those are found that no order of sending explains`, (t) => {
    fc.assert(
      fc.property(fc.array(action(values), { maxLength: 400, size: 'max' }), (actions) => {
        const order = new OrderChecker();
        const model = new Model();
        let written = 0;
        for (const { is, key, value } of actions) {
          const each = row({ port: key, succ: value, err: value % 3 });
          if (is === 'sent') order.sent(reportOf(each));
          else order.wrote([each]);
          model[is](key, value);
          if (is === 'written') written++;
        }
        t.is(order.writes, written);
        t.is(Math.min(20, model.wrong), order.violations.length);
        t.is(found(order).length, Math.min(20, model.wrong) + model.wrongAtTheEnd);
      }),
      { numRuns: 150 },
    );
  });
}

test('of numbered values exactly the same is found, however they are kept', (t) => {
  // Steps of 0 … 3 from the number sent last; writes of anything near it.
  const step = fc.record({
    is: fc.constantFrom('sent', 'written'),
    by: fc.nat(3),
    near: fc.integer({ min: -9, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const checkers = [new OrderChecker(), new OrderChecker({ numbered: isNumbered })];
      let number = 1;
      for (const { is, by, near } of steps) {
        if (is === 'sent') number += by;
        const round = is === 'sent' ? number : Math.max(0, number + near);
        const report = numberedReport(0, 1, 1, round);
        for (const checker of checkers)
          if (is === 'sent') checker.sent(report);
          else checker.wrote(rowsOf(report));
      }
      const [any, numbered] = checkers.map((checker) => [checker.violations.length, found(checker).length]);
      t.deepEqual(numbered, any);
    }),
    { numRuns: 200 },
  );
});

test('numbers that fall, and values that are not what their number says, are refused by a checker that relies on them', (t) => {
  const order = new OrderChecker({ numbered: isNumbered });
  order.sent(numberedReport(0, 1, 1, 5));
  t.throws(() => order.sent(numberedReport(0, 1, 1, 4)), {
    instanceOf: RangeError,
    message: /number 4 .* after 5/,
  });
  t.throws(() => order.sent({ ...numberedReport(0, 1, 1, 6), ts: 1 }), { instanceOf: RangeError });
  const [written] = rowsOf(numberedReport(0, 1, 1, 5));
  order.wrote([{ ...written!, err: 6 }]);
  t.is(order.violations.length, 1);
});

test('a key as a text is its columns, in the order of the primary key, as int32', (t) => {
  t.is(keyOf({ modid: 1, cmdid: -2, ip: 0xc0a80001, port: 80, caller: 9 }), '1/-2/-1062731775/80/9');
});
