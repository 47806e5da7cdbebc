import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Journal, JournalOptions, PartitionJournal } from '../../src/journal/contract.js';
import { type JournalEntry, type Refusal, ROWS_PER_PIECE } from '../../src/journal/record.js';
import { SINCE, TAG, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import type { PendingRows } from '../../src/partition/pending.js';
import { FaultyDisk, until } from '../../src/testing/index.js';
import { contentOf, keyOf, pack, rowOf } from '../model/samples.js';
import { all, deadLettersOf, journalStates } from './opened.js';
import { entryOf, replay } from './replay.js';

export interface Engine {
  readonly name: string;
  /** A journal that holds nothing; each call of the result opens it anew over the same data. */
  fresh(t: ExecutionContext): (options: Omit<JournalOptions, 'dir'>) => Promise<Journal>;
  /** Whether the number of partitions can be changed. */
  readonly hasRelayout: boolean;
  /** How many random lives of a journal are tried; 30 unless given. */
  readonly runs?: number;
}

const BOUND = { boundMs: 20_000 };
const NO_ROWS = new Int32Array(0);
const never = () => false;
const keyed = (modid: number) => pack({ modid }).slice(0, WORDS_PER_KEY);
const refusalOf = (modid: number, succ: number): Refusal => ({
  words: pack({ modid, succ, overload: true }),
  code: modid % 2 === 0 ? 'EVEN' : 'ODD',
  message: `${succ} is bad`,
});
/** A record by which the store refuses values of these services. */
const refusing = (at: number, ...refusals: readonly Refusal[]): JournalEntry =>
  entryOf(0, NO_ROWS, {
    at,
    refused: Int32Array.from(refusals.flatMap(({ words }) => [...words.subarray(0, WORDS_PER_KEY)])),
    refusals,
  });
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const rowsFrom = (count: number, from = 0) =>
  pack(...range(count, from).map((modid) => ({ modid, succ: modid & 0xffff })));
const content = (pending: PendingRows) => contentOf(pending.copySlots(0, pending.slotEnd));

/** A journal on a disk that fails as it is told, and how to open it again. */
async function setUp(t: ExecutionContext, { fresh }: Engine, writers = 2) {
  const open = fresh(t);
  const disk = new FaultyDisk();
  const states = journalStates();
  const opened: Journal[] = [];
  t.teardown(async () => {
    disk.heal();
    for (const journal of opened) await journal.close();
  });
  const again = async (count = writers) => {
    await opened.at(-1)?.close();
    const journal = await open({ writers: count, events: states.events, faults: disk.faults });
    opened.push(journal);
    return journal;
  };
  return { journal: await again(), again, disk, ...states };
}

/** A partition that has been replayed, as a writer has it. */
async function replayed(journal: Journal, index = 0) {
  const partition = journal.partition(index);
  return { partition, ...(await replay(partition)) };
}

/** Appends a batch of rows and folds it. */
async function take(partition: PartitionJournal, pending: PendingRows, sequence: number, rows: Int32Array) {
  await partition.append(sequence, entryOf(sequence, rows));
  pending.fold(rows, 5);
}

/** What every journal must do, whatever is behind it. */
export function testJournalContract(engine: Engine): void {
  testRecords(engine);
  testSnapshots(engine);
  testDeadLetters(engine);
  testFailures(engine);
  testWhole(engine);
}

function testRecords(engine: Engine): void {
  const { name } = engine;

  test(`${name}: a new journal is empty and sound; its id and its number of partitions stay`, async (t) => {
    const { journal, again } = await setUp(t, engine, 3);
    const { id } = journal;
    t.true(id.length >= 8);
    for (const index of [0, 1, 2]) {
      const { base, last, batchId, pending, records } = await replayed(journal, index);
      t.deepEqual([base, last, batchId, pending.keys, records.length], [0, 0, 0, 0, 0]);
      t.deepEqual((await journal.survey(index, () => {})).problems, []);
    }
    t.is(journal.quarantined, 0);
    const reopened = await again(8);
    t.is(reopened.id, id);
    t.is(reopened.layout.writers, 3);
  });

  test(`${name}: records come back in the order they were appended, partition by partition, after a restart`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    await Promise.all(
      [0, 1].map(async (index) => {
        const { partition } = await replayed(journal, index);
        for (const sequence of range(150 + index, 1))
          await partition.append(sequence, entryOf(sequence, pack({ modid: index, succ: sequence })));
        t.is(partition.sinceSnapshot.events, 150 + index);
      }),
    );
    const reopened = await again();
    for (const index of [0, 1]) {
      const { partition, records, last, batchId } = await replayed(reopened, index);
      const wanted = range(150 + index, 1).map((sequence) => ({
        sequence,
        record: entryOf(sequence, pack({ modid: index, succ: sequence })).record,
      }));
      t.deepEqual(records, wanted);
      t.deepEqual([last, batchId], [150 + index, 150 + index]);
      t.is(partition.sinceSnapshot.events, 150 + index);
      t.true(partition.sinceSnapshot.bytes > 0);
      t.is(partition.bytes, partition.sinceSnapshot.bytes);
    }
  });

  test(`${name}: a record keeps all that it says; what carried it is the caller's again once it is durable`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition } = await replayed(journal);
    const given = () => ({
      ...{ at: 1_700_000_000_123, superseded: 3, refusedSuperseded: 4, received: 9 },
      confirmed: keyed(-1),
      refused: keyed(-2),
    });
    const fields = given();
    const rows = rowsFrom(7);
    await partition.append(5, entryOf(12, rows, fields));
    for (const lent of [rows, fields.confirmed, fields.refused]) lent.fill(-1);
    const [found] = (await replayed(await again())).records;
    t.is(found?.sequence, 5);
    t.deepEqual(found?.record, entryOf(12, rowsFrom(7), given()).record);
  });

  test(`${name}: a row carries its sender over a restart, whatever numbers are given then`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const senders = range(20).map((index) => `10.0.0.${index}`);
    const rows = rowsFrom(20);
    const { partition, pending } = await replayed(journal);
    for (const [index, sender] of senders.entries()) {
      rows[index * WORDS_PER_ROW + TAG]! |= journal.peers.number(sender) << 1;
      t.is(journal.peers.number(sender), journal.peers.number(sender));
      t.is(journal.peers.address(journal.peers.number(sender)), sender);
    }
    t.is(new Set(senders.map((sender) => journal.peers.number(sender))).size, 20);
    t.is(journal.peers.number('unknown'), 0);
    t.is(journal.peers.address(0), 'unknown');
    t.is(journal.peers.address(1_000_000), 'unknown');
    await take(partition, pending, 1, rows.subarray(0, 10 * WORDS_PER_ROW));
    await partition.snapshot(1, 1, pending, never);
    await take(partition, pending, 2, rows.subarray(10 * WORDS_PER_ROW));
    const reopened = await again();
    for (const sender of senders.toReversed().slice(3)) reopened.peers.number(sender);
    const { pending: found } = await replayed(reopened);
    const words = found.copySlots(0, found.slotEnd);
    t.deepEqual(
      range(20).map((index) => reopened.peers.address(words[index * WORDS_PER_ROW + TAG]! >>> 1)),
      senders,
    );
  });

  test(`${name}: a survey yields what a replay does, says how much it is, and changes nothing`, async (t) => {
    const { journal } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await take(partition, pending, 1, rowsFrom(10));
    await partition.snapshot(1, 1, pending, never);
    for (const sequence of [2, 3]) await take(partition, pending, sequence, rowsFrom(5, sequence));
    for (let time = 0; time < 2; time++) {
      const kinds: string[] = [];
      const survey = await journal.survey(0, ({ kind }) => kinds.push(kind));
      t.deepEqual(kinds, ['base', 'rows', 'record', 'record']);
      t.like(survey, { partition: 0, head: { sequence: 1, batchId: 1 }, lastSequence: 3, problems: [] });
      t.like(survey, { snapshot: { rows: 10 }, records: { count: 2, first: 2, last: 3 } });
    }
    await take(partition, pending, 4, rowsFrom(1));
    t.is((await replayed(journal)).last, 4);
  });
}

function testSnapshots(engine: Engine): void {
  const { name } = engine;

  test(`${name}: a snapshot stands for the records it covers: rows, the time they wait since, the last batch`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    const rows = rowsFrom(2 * ROWS_PER_PIECE + 100);
    await take(partition, pending, 1, rows);
    for (const sequence of [2, 3]) await take(partition, pending, sequence, rowsFrom(1, -sequence));
    t.true(await partition.snapshot(3, 3, pending, never));
    t.is(partition.sinceSnapshot.events, 0);
    await take(partition, pending, 4, rowsFrom(1, -4));
    t.is(partition.sinceSnapshot.events, 1);
    t.true(partition.bytes > partition.sinceSnapshot.bytes);
    const found = await replayed(await again());
    t.deepEqual([found.base, found.last, found.batchId], [3, 4, 4]);
    t.deepEqual(
      found.records.map(({ sequence }) => sequence),
      [4],
    );
    t.deepEqual(content(found.pending), content(pending));
    t.is(found.pending.copySlots(0, 1)[SINCE], 5);
    // Sequence numbers go on from there.
    await take(found.partition, found.pending, 5, rowsFrom(1, -9));
    t.is((await replayed(await again())).last, 5);
  });

  test(`${name}: a snapshot of nothing keeps the sequence and the batch`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await partition.append(1, entryOf(41, rowsFrom(1)));
    await partition.append(2, entryOf(0, NO_ROWS, { confirmed: keyed(0) }));
    t.true(await partition.snapshot(2, 41, pending, never));
    t.is(partition.bytes, 0);
    const found = await replayed(await again());
    t.deepEqual([found.base, found.last, found.batchId, found.pending.keys], [2, 2, 41, 0]);
  });

  test(`${name}: records that are appended while a snapshot is taken come back over it`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await take(partition, pending, 1, rowsFrom(3 * ROWS_PER_PIECE));
    let sequence = 1;
    let appends = Promise.resolve();
    const source = {
      get slotEnd() {
        return pending.slotEnd;
      },
      copySlots: (from: number, to: number) => {
        appends = appends.then(async () => {
          const confirmed = keyed(from + 1);
          const rows = pack({ modid: from, succ: 77 }, { modid: -from - 1, succ: 78 });
          await partition.append(++sequence, entryOf(sequence, rows, { confirmed }));
          pending.confirm(confirmed, 0);
          pending.fold(rows, 5);
        });
        return pending.copySlots(from, to);
      },
    };
    t.true(await partition.snapshot(1, 1, source, never));
    await appends;
    t.true(sequence > 3);
    const found = await replayed(await again());
    t.is(found.base, 1);
    t.is(found.last, sequence);
    t.deepEqual(content(found.pending), content(pending));
  });

  test(`${name}: a snapshot that is given up, or that covers no more than the last one, changes nothing`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await take(partition, pending, 1, rowsFrom(2 * ROWS_PER_PIECE));
    t.true(await partition.snapshot(1, 1, pending, never));
    await take(partition, pending, 2, rowsFrom(10, -10));
    let asked = 0;
    t.false(await partition.snapshot(2, 2, pending, () => ++asked === 2));
    t.true(await partition.snapshot(1, 1, { slotEnd: 10, copySlots: () => rowsFrom(1, 99) }, never));
    await t.throwsAsync(partition.snapshot(0, 0, pending, never), { instanceOf: RangeError });
    const found = await replayed(await again());
    t.deepEqual([found.base, found.last, found.batchId], [1, 2, 2]);
    t.deepEqual(content(found.pending), content(pending));
  });
}

function testDeadLetters(engine: Engine): void {
  const { name } = engine;

  test(`${name}: a refused row is a dead letter with its record: newest value, sender, reason, times, count; over snapshots and restarts`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    const sent = refusalOf(-5, 9);
    sent.words[TAG]! |= journal.peers.number('10.0.0.9') << 1;
    await partition.append(1, refusing(1000, refusalOf(-5, 7)));
    await partition.append(2, refusing(2000, sent));
    const row = rowOf({ modid: -5, succ: 9, overload: true });
    const wanted = {
      ...{ row, peer: '10.0.0.9', code: 'ODD', message: '9 is bad' },
      ...{ firstAt: 1000, lastAt: 2000, count: 2 },
    };
    t.deepEqual(await deadLettersOf(journal), [wanted]);
    t.true(await partition.snapshot(2, 0, pending, never));
    const reopened = await again();
    reopened.peers.number('another');
    const found = await replayed(reopened);
    t.is(found.pending.keys, 0);
    t.is(reopened.deadLetters.size, 1);
    const stored = await found.partition.deadLetter(keyed(-5));
    t.deepEqual(stored?.deadLetter, wanted);
    t.deepEqual(contentOf(stored!.words.with(TAG, 1)), contentOf(sent.words.with(TAG, 1)));
    t.is(reopened.peers.address(stored!.words[TAG]! >>> 1), '10.0.0.9');
    t.is(await found.partition.deadLetter(keyed(5)), undefined);
  });

  test(`${name}: a dead letter goes with the record that confirms a newer value, or releases it, and by release alone`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition } = await replayed(journal);
    await partition.append(1, refusing(1000, ...[1, 2, 3, 4].map((modid) => refusalOf(modid, modid))));
    await partition.append(2, entryOf(0, NO_ROWS, { confirmed: keyed(1) }));
    await partition.append(3, { ...entryOf(0, rowsFrom(1, 2)), released: [keyed(2)] });
    await partition.release([keyed(3), keyed(77)]);
    const left = async (from: Journal) => (await deadLettersOf(from)).map(({ row }) => row.modid);
    t.deepEqual(await left(journal), [4]);
    t.is(journal.deadLetters.size, 1);
    const reopened = await again();
    const { pending, last } = await replayed(reopened);
    t.deepEqual(await left(reopened), [4]);
    t.deepEqual([pending.keys, last], [1, 3]);
  });

  test(`${name}: a refused value is no dead letter when the same record confirms its key`, async (t) => {
    const { journal } = await setUp(t, engine);
    const { partition } = await replayed(journal);
    const refusals = [refusalOf(1, 1), refusalOf(2, 2)];
    await partition.append(1, entryOf(0, NO_ROWS, { confirmed: keyed(1), refusals }));
    t.deepEqual(
      (await deadLettersOf(journal)).map(({ row }) => row.modid),
      [2],
    );
  });

  test(`${name}: dead letters of all partitions are read by primary key, as the filter means, whatever goes meanwhile`, async (t) => {
    const { journal } = await setUp(t, engine);
    const partitions = await Promise.all(
      [0, 1].map(async (index) => (await replayed(journal, index)).partition),
    );
    const modids = range(600, -300);
    for (const [index, partition] of partitions.entries()) {
      const own = modids.filter((modid) => (modid & 1) === index);
      await partition.append(1, refusing(1000, ...own.map((modid) => refusalOf(modid, 1))));
    }
    t.is(journal.deadLetters.size, 600);
    const read = async (filter: Parameters<Journal['deadLetters']['read']>[0]) =>
      (await all(journal.deadLetters.read(filter))).flat().map(({ row }) => row.modid);
    t.deepEqual(await read({}), modids);
    t.deepEqual(
      await read({ code: 'ODD' }),
      modids.filter((modid) => modid % 2 !== 0),
    );
    t.deepEqual(await read({ modid: -7 }), [-7]);
    t.deepEqual(await read({ modid: 7, cmdid: 99 }), []);
    const seen: number[] = [];
    for await (const some of journal.deadLetters.read({})) {
      seen.push(...some.map(({ row }) => row.modid));
      for (const { row } of some) await partitions[row.modid & 1]!.release([keyed(row.modid)]);
    }
    t.deepEqual(seen, modids);
    t.is(journal.deadLetters.size, 0);
  });
}

function testFailures(engine: Engine): void {
  const { name } = engine;

  test(`${name}: a record that is taken out of the way leaves its batch and the number of its rows; the others stay`, async (t) => {
    const { journal, again, told } = await setUp(t, engine);
    const { partition } = await replayed(journal, 1);
    for (const sequence of [1, 2, 3])
      await partition.append(sequence, entryOf(sequence, rowsFrom(2, 10 * sequence), { received: 5 }));
    t.is(await partition.quarantinedAt(), 0);
    const before = Date.now();
    await partition.quarantine(2, new TypeError('cannot be applied'));
    await partition.quarantine(77, new TypeError('is not there'));
    // So may be what is left of it.
    await partition.quarantine(2, new RangeError('cannot be applied either'));
    t.deepEqual(told, ['1 2 TypeError', '1 2 RangeError']);
    t.true((await partition.quarantinedAt()) >= before);
    const reopened = await again();
    const found = await replayed(reopened, 1);
    t.is(reopened.quarantined, 2);
    t.deepEqual([found.last, found.batchId, found.pending.keys], [3, 3, 4]);
    t.like(found.records[1], { sequence: 2, record: { batchId: 2, received: 5, quarantined: 5 } });
    t.is(found.records[1]?.record.rows.length, 0);
    t.true((await found.partition.quarantinedAt()) >= before);
  });

  test(`${name}: what is stored torn goes into quarantine when it is replayed, once, and is told; a survey names it`, async (t) => {
    const { journal, again, disk, told } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await take(partition, pending, 1, rowsFrom(ROWS_PER_PIECE + 10));
    disk.tear({ kind: 'piece' });
    await partition.snapshot(1, 1, pending, never);
    await take(partition, pending, 2, rowsFrom(1, -1));
    disk.tear({ how: 'flip' });
    await take(partition, pending, 3, rowsFrom(1, -2));
    await take(partition, pending, 4, rowsFrom(1, -3));
    t.is((await journal.survey(0, () => {})).problems.length, 2);
    for (let time = 0; time < 2; time++) {
      const reopened = await again();
      const { pending: found, last } = await replayed(reopened);
      t.is(last, 4);
      t.is(found.keys, 12);
      t.deepEqual(told, ['0 1 ReporterError', '0 3 ReporterError']);
      t.is(reopened.quarantined, 2);
    }
  });

  test(`${name}: a write that fails is tried again in place until it is durable; the change of state is told once`, async (t) => {
    const { journal, again, disk, told, synced } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    const before = synced();
    disk.fail(3);
    for (const sequence of [1, 2]) await take(partition, pending, sequence, rowsFrom(1, sequence));
    t.deepEqual(told, ['EIO: i/o error, write', 'ok']);
    t.is(synced(), before + 2);
    t.deepEqual(
      (await replayed(await again())).records.map(({ sequence }) => sequence),
      [1, 2],
    );
  });

  test(`${name}: closing rejects what cannot be made durable; nothing is written or read afterwards, and what was durable is there`, async (t) => {
    const { journal, again, disk } = await setUp(t, engine);
    const { partition, pending } = await replayed(journal);
    await partition.append(1, refusing(1000, refusalOf(8, 8)));
    disk.fill();
    const waiting = t.throwsAsync(partition.append(2, entryOf(2, rowsFrom(1))), { code: 'JOURNAL_UNUSABLE' });
    await until(() => disk.failures > 0, { ...BOUND, what: 'a failure' });
    await Promise.all([journal.close(), journal.close()]);
    await waiting;
    disk.makeRoom();
    for (const refused of [
      () => partition.append(3, entryOf(3, rowsFrom(1))),
      () => partition.release([keyed(8)]),
      () => partition.snapshot(1, 0, pending, never),
      () => partition.deadLetter(keyed(8)),
      () => all(journal.deadLetters.read({})),
    ])
      await t.throwsAsync(refused, { code: 'JOURNAL_UNUSABLE' });
    const reopened = await again();
    t.is((await replayed(reopened)).last, 1);
    t.is(reopened.deadLetters.size, 1);
  });
}

function testWhole(engine: Engine): void {
  const { name, hasRelayout } = engine;

  test(`${name}: ${hasRelayout ? 'another number of partitions holds what it is given; dead letters stay' : 'a change of partitions is refused with words, and changes nothing'}`, async (t) => {
    const { journal, again } = await setUp(t, engine);
    const { partition } = await replayed(journal);
    await partition.append(1, entryOf(1, rowsFrom(3), { refusals: [refusalOf(5, 5)] }));
    const reopened = await again();
    const given = [rowsFrom(ROWS_PER_PIECE + 1), NO_ROWS, rowsFrom(3, 9000)];
    given[2]![SINCE] = 1234;
    if (!hasRelayout) {
      await t.throwsAsync(
        reopened.relayout(3, (index) => given[index]!),
        { code: 'JOURNAL_UNUSABLE' },
      );
      t.is(reopened.layout.writers, 2);
      t.is((await replayed(reopened)).pending.keys, 3);
      return;
    }
    await reopened.relayout(3, (index) => given[index]!);
    for (const open of [async () => reopened, () => again(3)]) {
      const one = await open();
      t.is(one.layout.writers, 3);
      for (const [index, rows] of given.entries()) {
        const { pending, base, last, batchId } = await replay(one.partition(index));
        t.deepEqual(content(pending), contentOf(rows));
        t.deepEqual([base, last, batchId], [0, 0, 0]);
        if (index === 2) t.is(pending.copySlots(0, 1)[SINCE], 1234);
      }
      t.is(one.deadLetters.size, 1);
    }
  });

  test(`${name}: whatever is appended, refused, released, snapshot and opened again: it is what plain maps hold`, async (t) => {
    const few = fc.uniqueArray(fc.nat(7), { maxLength: 4 });
    const step = fc.record({
      rows: few,
      confirmed: few,
      refused: few,
      next: fc.constantFrom('nothing', 'snapshot', 'release', 'reopen'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        const { journal: first, again } = await setUp(t, engine, 1);
        const map = new Map<string, number>();
        const dead = new Map<number, [succ: number, count: number]>();
        let { partition, pending } = await replayed(first);
        let journal = first;
        let sequence = 0;
        for (const { rows, confirmed, refused, next } of steps) {
          const value = ++sequence;
          const keys = (modids: readonly number[]) =>
            Int32Array.from(modids.flatMap((modid) => [...keyed(modid)]));
          const entry = entryOf(value, pack(...rows.map((modid) => ({ modid, succ: value }))), {
            confirmed: keys(confirmed),
            refused: keys(refused),
            refusals: refused.map((modid) => refusalOf(modid, value)),
          });
          await partition.append(value, entry);
          for (const one of [entry.record.confirmed, entry.record.refused]) pending.confirm(one, 0);
          pending.fold(entry.record.rows, 5);
          for (const modid of [...confirmed, ...refused]) map.delete(keyOf(keyed(modid)));
          for (const modid of confirmed) dead.delete(modid);
          for (const modid of refused)
            if (!confirmed.includes(modid)) dead.set(modid, [value, (dead.get(modid)?.[1] ?? 0) + 1]);
          for (const modid of rows) map.set(keyOf(keyed(modid)), value);
          if (next === 'snapshot') await partition.snapshot(value, value, pending, never);
          if (next === 'release') {
            await partition.release([keyed(3)]);
            dead.delete(3);
          }
          if (next !== 'reopen') continue;
          journal = await again();
          ({ partition, pending } = await replayed(journal));
        }
        journal = await again();
        ({ pending } = await replayed(journal));
        const found = [...content(pending)].map(
          ([key, words]) => [key, Number(words.split(' ')[0])] as const,
        );
        t.deepEqual(new Map(found.toSorted()), new Map([...map].toSorted()));
        const letters = (await deadLettersOf(journal)).map(({ row, count }) => [
          row.modid,
          [row.succ, count],
        ]);
        t.deepEqual(
          letters,
          [...dead].toSorted(([a], [b]) => a - b),
        );
        await journal.close();
      }),
      { numRuns: engine.runs ?? 30 },
    );
  });
}
