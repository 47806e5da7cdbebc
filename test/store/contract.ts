import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Row } from '../../src/model/row.js';
import type { RowFilter, Store } from '../../src/store/contract.js';
import { batch, keyOf, row, service, sorted } from '../support/rows.js';

export interface Kind {
  readonly name: string;
  /** A store that holds nothing; each call of the result opens it anew over the same data. */
  fresh(t: ExecutionContext): Promise<() => Store>;
  /** Columns whose numbers count unsigned in the order of the store's primary key. */
  readonly unsigned?: readonly (keyof Row)[];
}

export const LANE = { partition: 0, partitions: 1, journalId: 'contract' };

const MIN = -0x80000000;
const MAX = 0x7fffffff;

/** What every store must do, whatever is behind it. */
export function testContract(kind: Kind): void {
  const { name, fresh, unsigned = [] } = kind;

  const inOrder = (rows: Iterable<Row>) => {
    const shown = (each: Row) => ({
      ...each,
      ...Object.fromEntries(unsigned.map((column) => [column, Number(each[column]) ^ MIN])),
    });
    // Unsigned numbers are in order when their sign bit is flipped and they are compared as signed ones.
    return sorted([...rows].map(shown)).map(shown);
  };

  test(`${name}: what was upserted is there, every value as it was`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const rows = [
      row({ modid: MIN, cmdid: MAX, ip: -1062731775, port: -1, caller: MIN }),
      row({ modid: MAX, cmdid: MIN, ip: MAX, port: MIN, caller: -1 }),
      row({ modid: 0, cmdid: -1, ip: 0, port: 0, caller: 0, succ: 0, err: 0, ts: 0 }),
      row({ succ: MAX, err: MAX, ts: 0xffffffff, overload: true }),
      row({ modid: -5, ts: 0x80000000, overload: true }),
    ];
    await store.writer(LANE).upsert(batch(rows));
    t.deepEqual(await read(), inOrder(rows));
  });

  test(`${name}: a newer row of a key replaces the older one, also one with an older clock`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const writer = store.writer(LANE);
    await writer.upsert(batch([row({ ts: 100, succ: 50, err: 50, overload: true }), row({ ip: 9 })]));
    await writer.upsert(batch([row({ ts: 99, succ: 1, err: 0 })]));
    t.deepEqual(await read(), [row({ ts: 99, succ: 1, err: 0 }), row({ ip: 9 })]);
  });

  test(`${name}: keys that differ in one column only are different rows`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const rows = (['modid', 'cmdid', 'ip', 'port', 'caller'] as const).map((column) =>
      row({ [column]: -77 }),
    );
    await store.writer(LANE).upsert(batch([row(), ...rows]));
    t.deepEqual(await read(), inOrder([row(), ...rows]));
  });

  test(`${name}: rows are read in key order over many pages, none twice, none left out`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const writer = store.writer(LANE);
    for (const modid of [3, -3, 7]) await writer.upsert(service(modid, 1000, 1));
    await writer.upsert(service(8, 1, 1));
    const rows = await read();
    t.is(rows.length, 3001);
    t.deepEqual(rows, inOrder(rows));
    t.is(new Set(rows.map(keyOf)).size, 3001);
  });

  test(`${name}: a filter gives the rows of a service, of a modid, of a cmdid, and no other`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const rows = [-2, -1, 0, 1].flatMap((modid) => [-1, 0, 9].map((cmdid) => row({ modid, cmdid })));
    await store.writer(LANE).upsert(batch(rows));
    const expected = (keep: (each: Row) => boolean) => inOrder(rows).filter(keep);
    t.deepEqual(
      await read({ modid: -1 }),
      expected(({ modid }) => modid === -1),
    );
    t.deepEqual(
      await read({ cmdid: -1 }),
      expected(({ cmdid }) => cmdid === -1),
    );
    t.deepEqual(
      await read({ modid: 0, cmdid: 9 }),
      expected(({ modid, cmdid }) => modid === 0 && cmdid === 9),
    );
    t.deepEqual(await read({ modid: 44 }), []);
  });

  test(`${name}: reading goes on behind any key, whether or not its row is still there`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const rows = [MIN, -2, 0, 3, MAX].flatMap((ip) =>
      [-1, 1].map((caller) => row({ modid: -1, cmdid: -9, ip, port: -80, caller })),
    );
    await store.writer(LANE).upsert(batch([...rows, row({ modid: -2 }), row({ modid: 5 })]));
    const filter = { modid: -1, cmdid: -9 };
    const all = await read(filter);
    for (const [index, after] of all.entries())
      t.deepEqual(await read({ ...filter, after }), all.slice(index + 1));
    t.deepEqual(
      await read({ ...filter, after: row({ ...all[2]!, succ: 77, caller: all[2]!.caller }) }),
      all.slice(3),
    );
    const gap = row({ modid: -1, cmdid: -9, ip: 1, port: -80, caller: 0 });
    const behind = inOrder([...rows, gap]);
    const from = behind.findIndex(({ ip, caller }) => ip === 1 && caller === 0);
    t.deepEqual(await read({ ...filter, after: gap }), behind.slice(from + 1));
  });

  test(`${name}: reading may stop anywhere`, async (t) => {
    const { store } = await opened(t, fresh);
    await store.writer(LANE).upsert(service(1, 50, 1));
    for await (const first of store.read!.rows()) {
      t.is(first.modid, 1);
      break;
    }
  });

  test(`${name}: rows are there after closing and opening again`, async (t) => {
    const reopen = await fresh(t);
    const first = reopen();
    await first.open();
    const writer = first.writer(LANE);
    await writer.upsert(service(1, 10, 1));
    await writer.close();
    await first.close();

    const second = reopen();
    t.teardown(() => second.close());
    await second.open();
    t.is((await collect(second)).length, 10);
    await second.writer(LANE).upsert(service(2, 10, 1));
    t.is((await collect(second)).length, 20);
  });

  test(`${name}: a batch without rows is done`, async (t) => {
    const { store, read } = await opened(t, fresh);
    await store.writer(LANE).upsert(batch([]));
    t.deepEqual(await read(), []);
  });

  test(`${name}: writers of different partitions write at the same time`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const writers = [0, 1, 2].map((partition) => store.writer({ ...LANE, partition, partitions: 3 }));
    for (let ts = 1; ts <= 5; ts++)
      await Promise.all(writers.map((writer, index) => writer.upsert(service(index, 100, ts))));
    const rows = await read();
    t.is(rows.length, 300);
    t.true(rows.every(({ ts }) => ts === 5));
    await Promise.all(writers.map((writer) => writer.close()));
  });

  test(`${name}: check passes and changes nothing`, async (t) => {
    const { store, read } = await opened(t, fresh);
    await store.writer(LANE).upsert(service(1, 3, 1));
    await store.check();
    t.is((await read()).length, 3);
  });

  test(`${name}: any sequence of batches leaves what a map of last writes holds`, async (t) => {
    const { store, read } = await opened(t, fresh);
    const writer = store.writer(LANE);
    const model = new Map<string, Row>();
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { maxLength: 60 }), async (rows) => {
        const packed = batch(rows);
        await writer.upsert(packed);
        for (const each of packed) model.set(keyOf(each), each);
        t.deepEqual(await read(), inOrder(model.values()));
      }),
      { numRuns: 40 },
    );
  });
}

// Few values a column, so that keys meet again, and all the borders among them.
const few = fc.constantFrom(MIN, -1, 0, 1, MAX);
const counter = fc.oneof(fc.nat(MAX), fc.constantFrom(0, MAX));
const anyRow: fc.Arbitrary<Row> = fc.record({
  modid: few,
  cmdid: few,
  ip: fc.oneof(few, fc.integer({ min: MIN, max: MAX })),
  port: few,
  caller: few,
  succ: counter,
  err: counter,
  ts: fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, MAX, 0x80000000, 0xffffffff)),
  overload: fc.boolean(),
});

async function opened(t: ExecutionContext, fresh: Kind['fresh']) {
  const store = (await fresh(t))();
  await store.open();
  t.teardown(() => store.close());
  return { store, read: (filter?: RowFilter) => collect(store, filter) };
}

export async function collect(store: Store, filter?: RowFilter): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const each of store.read!.rows(filter)) rows.push(each);
  return rows;
}
