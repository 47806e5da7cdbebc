import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { type Row, RowBatch } from '../../src/model/row.js';
import { ViewReadings } from '../../src/node/view-readings.js';
import { partitionOf } from '../../src/partition/hash.js';
import { PendingRows } from '../../src/partition/pending.js';
import type { StoreReader } from '../../src/store/contract.js';
import { keyOf, MemoryStore, until } from '../../src/testing/index.js';
import type { CallerAnswer, CallersAnswer, ChangesAnswer, ServicesAnswer } from '../../src/view/shapes.js';
import { row } from '../support/rows.js';
import { BOUND, from, startThread } from './worker.js';

const PARTITIONS = 2;
const SPEED = 20;

/** Writers, a store and a view that is fed by them. `read`: how the store is read. */
async function startSite(
  t: ExecutionContext,
  options: { speed?: number; ringWords?: number; read?: (store: MemoryStore) => StoreReader } = {},
) {
  const { speed = SPEED, ringWords = 1 << 12, read } = options;
  const store = new MemoryStore();
  const pending = Array.from({ length: PARTITIONS }, () => new PendingRows());
  const notes: string[] = [];
  const parts: { readings?: ViewReadings } = {};
  const started = await startThread(t, {
    ...{ speed, ringWords },
    onUp: () => parts.readings?.begin(),
    onDeath: () => parts.readings?.end(),
  });
  const { thread, feed, clock } = started;
  const sources = {
    ...{ thread, store: read ? read(store) : store.read, isBusy: () => false },
    pending: pending.map((rows) => () => rows),
  };
  const readings = new ViewReadings({ sources, feed, clock, note: (text) => notes.push(text) });
  parts.readings = readings;
  t.teardown(() => readings.end());
  const newest = new Map<string, Row>();
  const store1 = store.writer({ partition: 0, partitions: 1, journalId: '' });
  return {
    ...{ ...started, store, readings, notes, newest },
    /** As a writer does: rows are folded, then fed. */
    journal(rows: readonly Row[]) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const own = rows.filter(({ modid, cmdid }) => partitionOf(modid, cmdid, PARTITIONS) === partition);
        if (own.length === 0) continue;
        const words = from(1, own);
        pending[partition]!.fold(words, clock.nowS());
        for (const one of own) newest.set(keyOf(one), one);
        feed.journaled(partition, words);
      }
    },
    /** The store gets what waits, `rows` of each partition at most. */
    async flush(rows = Number.POSITIVE_INFINITY) {
      for (const one of pending) {
        const pass = one.pass();
        while (!pass.order());
        const taken = pass.next(rows);
        if (!taken) continue;
        await store1.upsert(taken.rows);
        one.stored(taken, 0);
        one.confirm(one.unchangedKeys([taken]), 0);
      }
    },
  };
}

/** What the view has of each key: counters, ts and flag. */
async function rowsOfView(ask: Awaited<ReturnType<typeof startThread>>['ask']) {
  const found = new Map<string, string>();
  const { answer } = await ask<CallersAnswer>('/api/callers', {}, 'limit=500');
  for (const { caller } of answer.voices) {
    const shown = await ask<CallerAnswer>('/api/callers/:ip', { ip: caller }, 'limit=500');
    for (const { modid, cmdid, host, succ, err, ts, overload } of shown.answer.rows)
      found.set(`${modid}/${cmdid} ${host} ${caller}`, JSON.stringify([succ, err, ts, overload]));
  }
  return found;
}

function shown(rows: Iterable<Row>) {
  return new Map(
    [...rows].map(({ modid, cmdid, ip, port, caller, succ, err, ts, overload }) => [
      `${modid}/${cmdid} ${formatIpv4(ip)}:${port} ${formatIpv4(caller)}`,
      JSON.stringify([succ, err, ts, overload]),
    ]),
  );
}

const byKey = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

const keys = (count: number, change: Partial<Row>) =>
  Array.from({ length: count }, (_, index) =>
    row({
      modid: 1 + (index % 5),
      cmdid: 1,
      ip: 100 + index,
      port: 80,
      caller: 0x0a000001 + (index % 3),
      ...change,
    }),
  );

test('a view that starts has what waits and what is stored, as from the table', async (t) => {
  // What is asked below holds as long as the rows are fresh: a minute of this clock.
  const site = await startSite(t, { speed: 1 });
  const ts = site.clock.nowS();
  site.feed.detach();
  site.journal(keys(40, { succ: 1, ts }));
  await site.flush();
  // Of the same second, and on its way: the store has an older value of half of the keys.
  site.journal(keys(20, { succ: 2, ts }));
  await site.thread.kill();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
  t.deepEqual(byKey(await rowsOfView(site.ask)), byKey(shown(site.newest.values())));
  // Lists and counts are of the last tick.
  await site.ticked();
  const { answer } = await site.ask<ServicesAnswer>('/api/services');
  t.deepEqual([...new Set(answer.services.map(({ state }) => state))], ['table']);
  t.is(site.thread.counts?.callers.table, 3);
});

for (const ageS of [0, 9_000_000])
  test(`what was dropped is read again: the view says so, and is equal to the table then; by clocks ${ageS} s behind`, async (t) => {
    const site = await startSite(t);
    const ts = site.clock.nowS() - ageS;
    site.readings.begin();
    await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
    site.journal(keys(40, { succ: 1, ts }));
    await site.flush();
    await site.ticked();
    // In one turn, so that the thread cannot follow.
    for (let round = 2; site.feed.droppedRows < 1000; round++) site.journal(keys(40, { succ: round, ts }));
    t.true(site.readings.missed!.rows >= 1000);
    // Half of it is stored, the rest waits.
    await site.flush(10);
    await until(() => !site.readings.missed, { ...BOUND, what: 'all to be read again' });
    t.deepEqual(byKey(await rowsOfView(site.ask)), byKey(shown(site.newest.values())));
  });

test('whatever is journaled, dropped and stored in whichever order: in the end the view is equal to the table', async (t) => {
  const site = await startSite(t);
  site.readings.begin();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
  const step = fc.record({
    count: fc.integer({ min: 1, max: 90 }),
    rounds: fc.integer({ min: 1, max: 30 }),
    flush: fc.constantFrom(0, 3, 40),
    overload: fc.boolean(),
    turns: fc.boolean(),
  });
  let succ = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      for (const { count, rounds, flush, overload, turns } of steps) {
        for (let round = 0; round < rounds; round++)
          site.journal(keys(count, { succ: ++succ, ts: site.clock.nowS(), overload }));
        if (flush > 0) await site.flush(flush);
        if (turns) await site.ticked();
      }
      await until(() => !site.readings.missed && site.feed.lagS === 0, {
        ...BOUND,
        what: 'all to be taken in',
      });
      await site.ticked();
      t.deepEqual(byKey(await rowsOfView(site.ask)), byKey(shown(site.newest.values())));
    }),
    { numRuns: 12 },
  );
  t.true(site.feed.droppedRows > 0);
  t.is(site.thread.counts?.mismatches, 0);
});

test('what a writer journaled without handing it over, because it crashed, is read again', async (t) => {
  const site = await startSite(t);
  site.readings.begin();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
  site.feed.detach();
  site.journal(keys(10, { succ: 1, ts: site.clock.nowS() }));
  await site.thread.kill();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'a new thread to be up' });
  for (let partition = 0; partition < PARTITIONS; partition++) site.feed.lost(partition);
  t.is(site.readings.missed?.rows, 0);
  await until(() => !site.readings.missed, { ...BOUND, what: 'it to be read again' });
  t.is((await rowsOfView(site.ask)).size, 10);
});

test('a store that is away is tried again, and said once; what is reported meanwhile is in the view', async (t) => {
  let isAway = true;
  const site = await startSite(t, {
    read: (store) => ({
      async *rows(filter) {
        if (isAway) throw new Error('no route');
        yield* store.read.rows(filter);
      },
    }),
  });
  const ts = site.clock.nowS();
  await site.store
    .writer({ partition: 0, partitions: 1, journalId: '' })
    .upsert(RowBatch.from(keys(9, { ts })));
  site.readings.begin();
  site.journal([row({ modid: 77, cmdid: 7, ts })]);
  await until(() => site.notes.length > 0, { ...BOUND, what: 'it to be said' });
  await site.ticked();
  const during = await site.ask<ServicesAnswer>('/api/services');
  t.deepEqual(
    during.answer.services.map(({ modid, state }) => [modid, state]),
    [[77, 'live']],
  );
  t.deepEqual(during.answer.warming?.done, false);
  isAway = false;
  await until(() => site.readings.isWarm, { ...BOUND, what: 'the store to be read' });
  await site.ticked();
  const after = await site.ask<ServicesAnswer>('/api/services');
  t.is(after.answer.total, 6);
  t.is(after.answer.warming, undefined);
  t.deepEqual(site.notes, ['the store cannot be read: no route', 'the store can be read again']);
});

test('a sweep forgets what is gone from the table, and finds out that another reporter writes to it', async (t) => {
  const table: { reader?: StoreReader } = {};
  const site = await startSite(t, {
    speed: 300,
    read: (store) => ({ rows: (filter) => (table.reader ?? store.read).rows(filter) }),
  });
  site.readings.begin();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
  const ts = site.clock.nowS();
  site.journal(keys(6, { ts }));
  await site.flush();
  await site.ticked();
  // It knows nothing of the last row, and of the first one something newer.
  const rows = keys(5, { ts });
  const foreign = new MemoryStore();
  await foreign
    .writer({ partition: 0, partitions: 1, journalId: '' })
    .upsert(RowBatch.from([{ ...rows[0]!, ts: ts + 1, succ: 9 }, ...rows.slice(1)]));
  table.reader = foreign.read;
  await until(async () => site.thread.counts?.rows === 5, { ...BOUND, what: 'the row to be forgotten' });
  t.deepEqual(site.notes, ['another reporter writes to this table']);
});

test('a reading leaves rows that were heard alone', async (t) => {
  const site = await startSite(t);
  const ts = site.clock.nowS();
  site.journal(keys(3, { succ: 5, ts }));
  // An older value: what is journaled is on its way.
  await site.store
    .writer({ partition: 0, partitions: 1, journalId: '' })
    .upsert(RowBatch.from(keys(3, { succ: 4, ts })));
  await site.ticked();
  site.readings.begin();
  await until(() => site.readings.isWarm, { ...BOUND, what: 'everything to be read' });
  t.deepEqual(byKey(await rowsOfView(site.ask)), byKey(shown(site.newest.values())));
  const { answer } = await site.ask<ChangesAnswer>('/api/changes');
  t.deepEqual(answer.events, []);
});
