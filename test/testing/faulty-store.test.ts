import test from 'ava';
import type { StoreErrorClass } from '../../src/index.js';
import { StoreError, startReporter } from '../../src/index.js';
import {
  FaultyStore,
  MemoryStore,
  numberedReport,
  OrderChecker,
  type RandomFaults,
  until,
} from '../../src/testing/index.js';
import { batch, row } from '../support/rows.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };
const lane = (partition = 0) => ({ partition, partitions: 2, journalId: 'one' });

/** A store, and a statement of one row. */
function setUp(options?: ConstructorParameters<typeof FaultyStore>[0]) {
  const store = new FaultyStore(options);
  const upsert = (succ: number, partition = 0) =>
    store.writer(lane(partition)).upsert(batch([row({ modid: partition, succ })]));
  const stored = (partition = 0) => store.rows.get(`${partition}/2/3/4/5`)?.succ;
  return { store, upsert, stored };
}

test('without faults it stores what it is given, and reads it back by primary key', async (t) => {
  const { store } = setUp();
  await store.open();
  await store.writer(lane()).upsert(batch([row({ ip: 1 }), row({ ip: -1 }), row({ ip: 1, modid: 7 })]));
  const read = async (filter?: object) => {
    const ips: number[] = [];
    for await (const each of store.read!.rows(filter)) ips.push(each.ip);
    return ips;
  };
  t.deepEqual(await read(), [-1, 1, 1]);
  t.deepEqual(await read({ modid: 7 }), [1]);
  t.deepEqual(await read({ modid: 1, cmdid: 9 }), []);
  t.is(store.taken, 3);
  t.is(store.statements, 1);
});

for (const errorClass of ['retry', 'configuration', 'too-large'] satisfies StoreErrorClass[]) {
  test(`told to fail (${errorClass}), statements are rejected without effect until it is healed`, async (t) => {
    const { store, upsert, stored } = setUp();
    await upsert(1);
    store.fail(errorClass);
    for (let attempt = 0; attempt < 3; attempt++)
      t.is((await t.throwsAsync(upsert(2), { instanceOf: StoreError }))?.class, errorClass);
    await t.throwsAsync(store.open(), { instanceOf: StoreError });
    await t.throwsAsync(store.check(), { instanceOf: StoreError });
    t.is(stored(), 1);
    store.heal();
    await upsert(2);
    await store.check();
    t.is(stored(), 2);
  });
}

test('faults are for one partition, or so many statements, if told so', async (t) => {
  const { store, upsert, stored } = setUp();
  store.fail(new StoreError('retry', 'MINE', 'mine'), { partition: 1, times: 2 });
  await upsert(1, 0);
  await t.throwsAsync(upsert(1, 1), { message: 'mine' });
  await upsert(2, 0);
  await t.throwsAsync(upsert(1, 1), { message: 'mine' });
  await upsert(1, 1);
  t.deepEqual([stored(0), stored(1)], [2, 1]);
});

test('a statement that hangs and is released with go-on takes effect then, and is confirmed', async (t) => {
  const { store, upsert, stored } = setUp();
  store.hang({ times: 1 });
  const hung = upsert(1);
  await until(() => store.hanging === 1, { ...BOUND, what: 'it to hang' });
  t.is(stored(), undefined);
  store.release('go-on');
  await hung;
  t.is(stored(), 1);
});

for (const end of ['release', 'heal', 'close', 'its own bound'] as const) {
  test(`a statement that hangs is given up by ${end}, and never takes effect`, async (t) => {
    const { store, upsert, stored } = setUp({ hangMs: end === 'its own bound' ? 20 : 60_000 });
    store.hang({ times: 1 });
    const hung = upsert(1);
    await until(() => store.hanging === 1 || end === 'its own bound', { ...BOUND, what: 'it to hang' });
    if (end === 'release') store.release();
    if (end === 'heal') store.heal();
    if (end === 'close') await store.close();
    const error = await t.throwsAsync(hung, { instanceOf: StoreError });
    t.like(error, { class: 'retry', maybeApplied: true });
    t.is(store.hanging, 0);
    await upsert(2);
    await upsert(3);
    t.is(stored(), 3);
    t.is(store.taken, 2);
  });
}

test('told to lose confirmations, a statement takes effect and is rejected as maybe applied', async (t) => {
  const { store, upsert, stored } = setUp();
  store.loseConfirmations({ times: 1 });
  const error = await t.throwsAsync(upsert(1), { instanceOf: StoreError });
  t.like(error, { class: 'retry', maybeApplied: true });
  t.is(stored(), 1);
  await upsert(2);
});

test('a statement with a row that is to be refused fails as a whole, without effect', async (t) => {
  const { store } = setUp();
  store.reject(({ succ }) => succ === 2);
  const writer = store.writer(lane());
  const rows = batch([row({ port: 1 }), row({ port: 2, succ: 2 }), row({ port: 3 })]);
  t.like(await t.throwsAsync(writer.upsert(rows), { instanceOf: StoreError }), { class: 'poison' });
  t.is(store.rows.size, 0);
  await writer.upsert(batch([row({ port: 1 }), row({ port: 3 })]));
  store.heal();
  await writer.upsert(rows);
  t.is(store.rows.size, 3);
});

test('told to be slow, it takes its time before a statement takes effect', async (t) => {
  const { store, upsert, stored } = setUp();
  store.slow(30, { times: 1 });
  const slow = upsert(1);
  await new Promise(setImmediate);
  t.is(stored(), undefined);
  await slow;
  t.is(stored(), 1);
});

test('hooks of one’s own stand before and behind the effect', async (t) => {
  const { store, upsert, stored } = setUp();
  const seen: (number | undefined)[] = [];
  store.before = () => void seen.push(stored());
  store.after = () => {
    seen.push(stored());
    throw new StoreError('retry', 'MINE', 'mine');
  };
  await t.throwsAsync(upsert(1), { message: 'mine' });
  t.deepEqual(seen, [undefined, 1]);
});

/** What becomes of statements with faults at random. */
async function outcomes(faults: RandomFaults, count = 2000) {
  const { store, stored } = setUp({ hangMs: 1 });
  store.atRandom(faults);
  const writer = store.writer(lane());
  const ends: string[] = [];
  for (let succ = 1; succ <= count; succ++) {
    const end = await writer.upsert(batch([row({ modid: 0, succ })])).then(
      () => 'confirmed',
      (error: StoreError) => error.code,
    );
    ends.push(`${end}${stored() === succ ? ', stored' : ''}`);
  }
  return ends;
}

test('faults at random come in the shares that were asked for, and a seed repeats them', async (t) => {
  const faults = { seed: 42, fail: 0.3, lose: 0.2, reject: 0.1 };
  const ends = await outcomes(faults);
  const share = (end: string) => ends.filter((each) => each === end).length / ends.length;
  const near = (end: string, expected: number) =>
    t.true(Math.abs(share(end) - expected) < 0.05, `${end}: ${share(end)}`);
  near('ECONNREFUSED', 0.3);
  near('ER_REFUSED', 0.7 * 0.1);
  near('ECONNRESET, stored', 0.7 * 0.9 * 0.2);
  near('confirmed, stored', 0.7 * 0.9 * 0.8);
  t.deepEqual(await outcomes(faults), ends);
  t.notDeepEqual(await outcomes({ ...faults, seed: 43 }), ends);
  t.true((await outcomes({ seed: 1, hang: 0.5 }, 40)).includes('ETIMEDOUT'));
});

test('shares that are none are refused by name', (t) => {
  t.throws(() => new FaultyStore().atRandom({ seed: 1, fail: 2 }), {
    instanceOf: RangeError,
    message: 'fail is 2: give a share from 0 to 1',
  });
});

test('around another store, faults come before it and what it holds is its own', async (t) => {
  const inner = new MemoryStore();
  const { store, upsert } = setUp({ inner });
  store.fail();
  await t.throwsAsync(upsert(1));
  t.is(inner.rows.size, 0);
  store.heal();
  await upsert(1);
  t.deepEqual([...inner.rows], [...store.rows]);
  t.is(store.description, 'faulty memory');
});

for (const isBroken of [false, true]) {
  test(`a statement that hung while newer rows came, of a store that ${isBroken ? 'breaks its fence: the order checker says so' : 'keeps its fence: nothing goes backwards'}`, async (t) => {
    const order = new OrderChecker();
    const store = new FaultyStore({ inner: order.watch(new MemoryStore()), hangMs: 60_000 });
    const reporter = await startReporter(
      {
        listen: { host: '127.0.0.1', port: 0 },
        admin: { port: 0 },
        writers: { count: 1 },
        journal: { dir: `${tempDir(t)}/journal` },
      },
      { store },
    );
    t.teardown(() => reporter.stop());
    const report = async (round: number) => {
      order.sent(numberedReport(1, 1, 2, round));
      await reporter.report(numberedReport(1, 1, 2, round));
    };
    if (isBroken) store.breakFence();
    store.hang({ times: 1 });
    await report(1);
    await until(() => store.hanging === 1, { ...BOUND, what: 'a statement to hang' });
    await report(2);
    store.release();
    await until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'the newer rows to be confirmed' });
    if (isBroken) {
      t.is(order.violations.filter((violation) => violation.includes('went back to succ=1')).length, 2);
      t.throws(() => order.verify(), { message: /ended at succ=1/ });
    } else {
      t.notThrows(() => order.verify());
    }
  });
}
