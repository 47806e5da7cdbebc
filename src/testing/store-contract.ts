import assert from 'node:assert/strict';
import type { Row } from '../model/row.js';
import type { RowFilter, Store, StoreLane, StoreWriter } from '../store/contract.js';
import { Dice } from './dice.js';
import { keyOf } from './rows.js';
import { batch, row, service, sorted } from './sample-rows.js';

/** Registers one test, as `test` of node:test, AVA, Vitest or Jest does. `Context` is what it hands to a test. */
export type RegisterTest<Context> = (title: string, body: (t: Context) => Promise<void>) => unknown;

/** A place for rows that holds none yet, made for one test. */
export interface StorePlace {
  /** A store over the rows of this place, not opened yet. Called again after the last one was closed. */
  store(): Store;
  /** All rows; for a store without a read side. */
  rows?(): Promise<Iterable<Row>>;
  /** Called at the end of the test, whether or not it passed. */
  remove?(): void | Promise<void>;
}

/** How the tests are named, and what the store has. */
export interface StoreContractOptions {
  /** Stands in front of each title. `store` unless given. */
  readonly name?: string;
  /** False for a store without `read`, whose places have `rows`: what only a read side has is left out. */
  readonly reads?: boolean;
  /** Columns whose 32 bits count unsigned in the order of the store's primary key. None unless given. */
  readonly unsigned?: readonly (keyof Row)[];
  /** Of the random test, which prints it when it fails. By chance unless given. */
  readonly seed?: number;
}

const MIN = -0x80000000;
const MAX = 0x7fffffff;
const LANE: StoreLane = { partition: 0, partitions: 1, journalId: 'contract' };
const RANDOM_BATCHES = 40;

/**
 * Registers the tests that every store must pass: the interface `Store` tells the rules, this tries those that can be
 * tried with any store. `test` is that of your framework; nothing else of it is needed.
 *
 *     import test from 'node:test';
 *     import { storeContract } from 'lars-reporter/testing';
 *
 *     storeContract(test, () => {
 *       const dir = mkdtempSync(join(tmpdir(), 'rows-'));
 *       return { store: () => new OwnStore(dir), remove: () => rmSync(dir, { recursive: true }) };
 *     });
 *
 * What it cannot try is yours to prove: that `upsert` resolves only when a crash of the machine loses nothing, that it
 * settles within a bound, that each rejection is a `StoreError` of the right class, and that a statement which failed
 * takes no effect later than the next one.
 */
export function storeContract<Context>(
  test: RegisterTest<Context>,
  makeStore: (t: Context) => StorePlace | Promise<StorePlace>,
  options: StoreContractOptions = {},
): void {
  const { name = 'store', reads = true } = options;
  const register = (rules: readonly Rule[]) => {
    // Without a parameter of its own: some frameworks take one for a call back.
    for (const { title, run } of rules)
      test(`${name}: ${title}`, async (...given) => {
        const [t] = given as [Context];
        const trial = new Trial(await makeStore(t), options);
        try {
          await run(trial);
        } finally {
          await trial.end();
        }
        // AVA wants a word of its own.
        (t as { pass?: () => void } | undefined)?.pass?.();
      });
  };
  register(WRITE_RULES);
  if (reads) register(READ_RULES);
}

interface Rule {
  readonly title: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** One test: a place, the store that is open in it, and what it has opened. */
class Trial {
  readonly seed: number;
  readonly #place: StorePlace;
  readonly #unsigned: readonly (keyof Row)[];
  #store: Store | undefined;
  readonly #writers: StoreWriter[] = [];

  constructor(place: StorePlace, { unsigned = [], seed = Date.now() % 1_000_000_007 }: StoreContractOptions) {
    this.#place = place;
    this.#unsigned = unsigned;
    this.seed = seed;
  }

  async open(): Promise<Store> {
    const store = this.#place.store();
    this.#store = store;
    await store.open();
    return store;
  }

  /** A writer of the open store. */
  async writer(lane: Partial<StoreLane> = {}): Promise<StoreWriter> {
    const store = this.#store ?? (await this.open());
    const writer = store.writer({ ...LANE, ...lane });
    this.#writers.push(writer);
    return writer;
  }

  /** All rows, or those of a filter, as the store gives them. */
  async read(filter?: RowFilter): Promise<Row[]> {
    const store = this.#store ?? (await this.open());
    const rows: Row[] = [];
    if (store.read) for await (const each of store.read.rows(filter)) rows.push(each);
    else if (this.#place.rows && !filter) rows.push(...sorted(await this.#place.rows()));
    else throw new Error('the store has no read side: give reads: false, and a place with rows');
    return rows;
  }

  /** In the order of the store's primary key. */
  inOrder(rows: Iterable<Row>): Row[] {
    const shown = (each: Row) => ({
      ...each,
      ...Object.fromEntries(this.#unsigned.map((column) => [column, Number(each[column]) ^ MIN])),
    });
    // Unsigned numbers are in order when their sign bit is flipped and they are compared as signed ones.
    return sorted([...rows].map(shown)).map(shown);
  }

  async close(): Promise<void> {
    for (const writer of this.#writers.splice(0)) await writer.close();
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async end(): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.#place.remove?.();
    }
  }
}

const WRITE_RULES: readonly Rule[] = [
  {
    title: 'what was upserted is there, every value as it was',
    run: async (trial) => {
      const rows = [
        row({ modid: MIN, cmdid: MAX, ip: -1062731775, port: -1, caller: MIN }),
        row({ modid: MAX, cmdid: MIN, ip: MAX, port: MIN, caller: -1 }),
        row({ modid: 0, cmdid: -1, ip: 0, port: 0, caller: 0, succ: 0, err: 0, ts: 0 }),
        row({ succ: MAX, err: MAX, ts: 0xffffffff, overload: true }),
        row({ modid: -5, ts: 0x80000000, overload: true }),
      ];
      const writer = await trial.writer();
      await writer.upsert(batch(rows));
      assert.deepEqual(await trial.read(), trial.inOrder(rows));
    },
  },
  {
    title: 'a newer row of a key replaces the older one, also one with an older clock',
    run: async (trial) => {
      const writer = await trial.writer();
      await writer.upsert(batch([row({ ts: 100, succ: 50, err: 50, overload: true }), row({ ip: 9 })]));
      await writer.upsert(batch([row({ ts: 99, succ: 1, err: 0 })]));
      assert.deepEqual(await trial.read(), [row({ ts: 99, succ: 1, err: 0 }), row({ ip: 9 })]);
    },
  },
  {
    title: 'keys that differ in one column only are different rows',
    run: async (trial) => {
      const columns = ['modid', 'cmdid', 'ip', 'port', 'caller'] as const;
      const rows = [row(), ...columns.map((column) => row({ [column]: -77 }))];
      const writer = await trial.writer();
      await writer.upsert(batch(rows));
      assert.deepEqual(await trial.read(), trial.inOrder(rows));
    },
  },
  {
    title: 'rows are there after closing and opening again',
    run: async (trial) => {
      await (await trial.writer()).upsert(service(1, 10, 1));
      await trial.close();
      assert.equal((await trial.read()).length, 10);
      await (await trial.writer()).upsert(service(2, 10, 1));
      assert.equal((await trial.read()).length, 20);
    },
  },
  {
    title: 'a batch without rows is done',
    run: async (trial) => {
      await (await trial.writer()).upsert(batch([]));
      assert.deepEqual(await trial.read(), []);
    },
  },
  {
    title: 'a batch is left as it was handed over',
    run: async (trial) => {
      const rows = service(1, 100, 1);
      const before = Int32Array.from(rows.words);
      await (await trial.writer()).upsert(rows);
      assert.deepEqual(rows.words, before);
    },
  },
  {
    title: 'writers of different partitions write at the same time',
    run: async (trial) => {
      const writers: StoreWriter[] = [];
      for (const partition of [0, 1, 2]) writers.push(await trial.writer({ partition, partitions: 3 }));
      for (let ts = 1; ts <= 5; ts++)
        await Promise.all(writers.map((writer, index) => writer.upsert(service(index, 100, ts))));
      const rows = await trial.read();
      assert.equal(rows.length, 300);
      assert.ok(rows.every(({ ts }) => ts === 5));
    },
  },
  {
    title: 'a writer that was not used closes, and so does one that is given up at rest',
    run: async (trial) => {
      await trial.writer();
      const writer = await trial.writer({ partition: 1, partitions: 2 });
      await writer.upsert(service(1, 3, 1));
      writer.abandon?.();
      await trial.close();
      assert.equal((await trial.read()).length, 3);
    },
  },
  {
    title: 'check passes and changes nothing',
    run: async (trial) => {
      const store = await trial.open();
      await (await trial.writer()).upsert(service(1, 3, 1));
      await store.check();
      assert.equal((await trial.read()).length, 3);
    },
  },
  {
    title: 'any sequence of batches leaves what a map of last writes holds',
    run: async (trial) => {
      const dice = new Dice(trial.seed);
      const writer = await trial.writer();
      const model = new Map<string, Row>();
      for (let round = 0; round < RANDOM_BATCHES; round++) {
        const packed = batch(Array.from({ length: dice.below(60) }, () => anyRow(dice)));
        await writer.upsert(packed);
        for (const each of packed) model.set(keyOf(each), each);
        assert.deepEqual(
          await trial.read(),
          trial.inOrder(model.values()),
          `rows differ after batch ${round + 1} of seed ${trial.seed}`,
        );
      }
    },
  },
];

const READ_RULES: readonly Rule[] = [
  {
    title: 'rows are read in key order over many pages, none twice, none left out',
    run: async (trial) => {
      const writer = await trial.writer();
      for (const modid of [3, -3, 7]) await writer.upsert(service(modid, 1000, 1));
      await writer.upsert(service(8, 1, 1));
      const rows = await trial.read();
      assert.equal(rows.length, 3001);
      assert.deepEqual(rows, trial.inOrder(rows));
      assert.equal(new Set(rows.map(keyOf)).size, 3001);
    },
  },
  {
    title: 'a filter gives the rows of a service, of a modid, of a cmdid, and no other',
    run: async (trial) => {
      const rows = [-2, -1, 0, 1].flatMap((modid) => [-1, 0, 9].map((cmdid) => row({ modid, cmdid })));
      await (await trial.writer()).upsert(batch(rows));
      const holds = async (filter: RowFilter, keep: (each: Row) => boolean) =>
        assert.deepEqual(await trial.read(filter), trial.inOrder(rows).filter(keep));
      await holds({ modid: -1 }, ({ modid }) => modid === -1);
      await holds({ cmdid: -1 }, ({ cmdid }) => cmdid === -1);
      await holds({ modid: 0, cmdid: 9 }, ({ modid, cmdid }) => modid === 0 && cmdid === 9);
      await holds({ modid: 44 }, () => false);
    },
  },
  {
    title: 'reading goes on behind any key, whether or not its row is still there',
    run: async (trial) => {
      const rows = [MIN, -2, 0, 3, MAX].flatMap((ip) =>
        [-1, 1].map((caller) => row({ modid: -1, cmdid: -9, ip, port: -80, caller })),
      );
      await (await trial.writer()).upsert(batch([...rows, row({ modid: -2 }), row({ modid: 5 })]));
      const filter = { modid: -1, cmdid: -9 };
      const all = await trial.read(filter);
      for (const [index, after] of all.entries())
        assert.deepEqual(await trial.read({ ...filter, after }), all.slice(index + 1));
      assert.deepEqual(await trial.read({ ...filter, after: { ...all[2]!, succ: 77 } as Row }), all.slice(3));
      const gap = row({ modid: -1, cmdid: -9, ip: 1, port: -80, caller: 0 });
      const behind = trial.inOrder([...rows, gap]);
      const from = behind.findIndex(({ ip, caller }) => ip === 1 && caller === 0);
      assert.deepEqual(await trial.read({ ...filter, after: gap }), behind.slice(from + 1));
    },
  },
  {
    title: 'reading may stop anywhere',
    run: async (trial) => {
      const store = await trial.open();
      await (await trial.writer()).upsert(service(1, 50, 1));
      for await (const first of store.read!.rows()) {
        assert.equal(first.modid, 1);
        break;
      }
    },
  },
];

/** Few values a column, so that keys meet again, and all the borders among them. */
function anyRow(dice: Dice): Row {
  const few = () => dice.pick([MIN, -1, 0, 1, MAX]);
  const counter = () => (dice.chance(1, 2) ? dice.below(MAX) : dice.pick([0, MAX]));
  return {
    modid: few(),
    cmdid: few(),
    ip: dice.chance(1, 2) ? few() : dice.bits() | 0,
    port: few(),
    caller: few(),
    succ: counter(),
    err: counter(),
    ts: dice.chance(1, 2) ? dice.bits() : dice.pick([0, MAX, 0x80000000, 0xffffffff]),
    overload: dice.chance(1, 2),
  };
}
