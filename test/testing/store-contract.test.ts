import test from 'ava';
import type { Row, Store, StoreWriter } from '../../src/index.js';
import { FaultyStore, MemoryStore, type RegisterTest, storeContract } from '../../src/testing/index.js';

storeContract(
  test,
  placeOf(() => new MemoryStore()),
  { name: 'MemoryStore' },
);
storeContract(
  test,
  placeOf(() => new FaultyStore()),
  { name: 'FaultyStore that is told no fault' },
);

storeContract(
  test,
  () => {
    const store = new MemoryStore();
    const { description, rows } = store;
    const taking: Store = {
      description,
      open: () => store.open(),
      check: () => store.check(),
      close: () => store.close(),
      writer: (lane) => store.writer(lane),
    };
    return { store: () => taking, rows: async () => rows.values() };
  },
  { name: 'a store that only takes rows', reads: false },
);

function placeOf(make: () => Store) {
  return () => {
    const store = make();
    return { store: () => store };
  };
}

/** Titles of the tests that a store fails. */
async function failures(make: () => Store): Promise<string[]> {
  const failed: string[] = [];
  const bodies: [string, () => Promise<void>][] = [];
  const collect: RegisterTest<undefined> = (title, body) => bodies.push([title, () => body(undefined)]);
  storeContract(collect, placeOf(make), { name: 'it', seed: 7 });
  for (const [title, body] of bodies) await body().catch(() => failed.push(title));
  return failed;
}

/** A memory store whose rows are spoiled on their way in. */
class Spoiled extends MemoryStore {
  readonly #change: (row: Row) => Row | undefined;

  constructor(change: (row: Row) => Row | undefined) {
    super();
    this.#change = change;
  }

  override writer(): StoreWriter {
    const inner = super.writer({ partition: 0, partitions: 1, journalId: '' });
    const upsert: StoreWriter['upsert'] = (rows) =>
      inner.upsert([...rows].flatMap((row) => this.#change(row) ?? []) as never);
    return { upsert, close: () => inner.close() };
  }
}

const BROKEN: Readonly<Record<string, readonly [make: () => Store, title: string]>> = {
  'that loses the flag': [
    () => new Spoiled((row) => ({ ...row, overload: false })),
    'it: what was upserted is there, every value as it was',
  ],
  'that keeps the newest clock': [
    () => {
      const newest = new Map<number, number>();
      return new Spoiled((row) => {
        if (row.ts < (newest.get(row.ip) ?? 0)) return undefined;
        newest.set(row.ip, row.ts);
        return row;
      });
    },
    'it: a newer row of a key replaces the older one, also one with an older clock',
  ],
  'that does not know callers apart': [
    () => new Spoiled((row) => ({ ...row, caller: 5 })),
    'it: keys that differ in one column only are different rows',
  ],
  'that forgets when it is closed': [
    () => {
      let inner = new MemoryStore();
      return {
        description: 'forgetful',
        open: () => inner.open(),
        check: () => inner.check(),
        writer: (lane) => inner.writer(lane),
        read: { rows: (filter) => inner.read.rows(filter) },
        close: async () => {
          inner = new MemoryStore();
        },
      };
    },
    'it: rows are there after closing and opening again',
  ],
  'that does not filter': [
    () => {
      const store = new MemoryStore();
      return Object.assign(Object.create(store) as MemoryStore, { read: { rows: () => store.read.rows() } });
    },
    'it: a filter gives the rows of a service, of a modid, of a cmdid, and no other',
  ],
  'whose check writes': [
    () => {
      const store = new MemoryStore();
      const check = async () => {
        const { RowBatch } = await import('../../src/model/row.js');
        const row = {
          modid: 9,
          cmdid: 9,
          ip: 9,
          port: 9,
          caller: 9,
          succ: 0,
          err: 0,
          ts: 0,
          overload: false,
        };
        await store.writer({ partition: 0, partitions: 1, journalId: '' }).upsert(RowBatch.from([row]));
      };
      return Object.assign(store, { check });
    },
    'it: check passes and changes nothing',
  ],
};

for (const [name, [make, title]] of Object.entries(BROKEN))
  test(`a store ${name} is found`, async (t) => {
    const failed = await failures(make);
    t.true(failed.includes(title), failed.join('; '));
  });

test('what a test made is removed, also when it failed', async (t) => {
  let open = 0;
  const bodies: (() => Promise<void>)[] = [];
  const collect: RegisterTest<undefined> = (_title, body) => bodies.push(() => body(undefined));
  storeContract(collect, () => {
    open++;
    const store = new Spoiled(() => undefined);
    return {
      store: () => store,
      remove: () => {
        open--;
      },
    };
  });
  const outcomes = await Promise.allSettled(bodies.map((body) => body()));
  t.true(outcomes.some(({ status }) => status === 'rejected'));
  t.is(open, 0);
});

test('the functions it registers take no parameter of their own, which Jest would take for a call back', (t) => {
  storeContract(
    (_title: string, body: (given: unknown) => Promise<void>) => t.is(body.length, 0),
    placeOf(() => new MemoryStore()),
  );
});
