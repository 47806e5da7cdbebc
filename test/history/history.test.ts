import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { History } from '../../src/history/history.js';
import {
  firstIdOf,
  type PastEvent,
  type PastIncident,
  type PastMinute,
  type Tally,
} from '../../src/history/kept-records.js';
import { tempDir } from '../support/temp.js';

/** 2026-11-27T02:00:00Z */
const NOW = 1_795_744_800;
const MINUTE = NOW / 60;
const ID = firstIdOf(NOW);
const MIB = 1_048_576;
const GIB = 1024 * MIB;

const event = (id: number, change: Partial<PastEvent> = {}): PastEvent => ({
  ...{ id, atS: NOW, kind: 'reporter', modid: null, cmdid: null, ip: null, port: null },
  ...{ caller: null, incident: null, text: `event ${id}`, ...change },
});

const incident = (id: number, change: Partial<PastIncident> = {}): PastIncident => ({
  ...{ id, kind: 'host', modid: 1, cmdid: 2, ip: 7, port: 80, beganS: NOW, endedS: 0, lastS: NOW },
  ...{ peakHot: 3, callers: 4, relapses: 5, calls: 6, errors: 1, firstCaller: 9, ...change },
});

const service = (modid: number, calls: number, callers = 1): Tally => [
  modid,
  1,
  calls,
  0,
  1,
  0,
  callers,
  0,
  0,
  0,
];

const minuteOf = (minute: number, change: Partial<PastMinute> = {}): PastMinute => ({
  ...{ minute, coveredS: 60, services: [service(1, 10)], hosts: [] },
  ...change,
});

test('what was kept is there after a restart: events, incidents as they were last, minutes', async (t) => {
  const dir = path.join(tempDir(t), 'a', 'history');
  const first = new History({ dir, maxBytes: GIB });
  const id = firstIdOf(NOW);
  first.keepEvent(event(id));
  first.keepEvent(event(id + 1));
  first.keepIncident(incident(id));
  await first.work(NOW);
  first.keepIncident(incident(id, { relapses: 9 }));
  first.keepIncident(incident(id + 1, { endedS: NOW - 60 }));
  first.keepMinute(minuteOf(MINUTE - 1, { hosts: [[1, 1, 7, 80, 5, 4, 2, 3]] }));
  await first.close(NOW);

  const second = new History({ dir, maxBytes: GIB });
  second.open();
  const reader = second.reader!;
  t.deepEqual(reader.lastIds, { event: id + 1, incident: id + 1 });
  t.deepEqual([...reader.events()], [event(id + 1), event(id)]);
  t.deepEqual([...reader.events(id + 1)], [event(id)]);
  t.deepEqual(reader.running(), [incident(id, { relapses: 9 })]);
  t.deepEqual(
    [...reader.incidents()].map((one) => one.id),
    [id + 1, id],
  );
  t.deepEqual(
    reader.since(NOW - 60).map((one) => one.id),
    [id + 1, id],
  );
  t.deepEqual(
    reader.since(NOW - 59).map((one) => one.id),
    [id],
    'one that ended before is not asked for',
  );
  t.deepEqual(reader.coverage(MINUTE - 3, MINUTE - 1), [0, 0, 60]);
  t.deepEqual(reader.minute('minutes', MINUTE - 1, [1, 1]), service(1, 10));
  t.is(reader.minute('minutes', MINUTE - 1, [2, 1]), undefined);
  t.deepEqual(reader.minute('hosts', MINUTE - 1, [1, 1, 7, 80]), [1, 1, 7, 80, 5, 4, 2, 3]);
  await second.close(NOW);
});

test('a minute that comes in parts is one: calls add up, seconds too', async (t) => {
  const history = new History({ dir: tempDir(t), maxBytes: GIB });
  history.keepMinute(minuteOf(MINUTE, { coveredS: 20, services: [service(1, 5, 3), service(2, 1)] }));
  await history.work(NOW + 60);
  history.keepMinute(minuteOf(MINUTE, { coveredS: 35, services: [service(1, 7, 2), service(3, 2)] }));
  await history.work(NOW + 61);
  t.deepEqual(history.reader?.coverage(MINUTE, MINUTE), [55]);
  t.deepEqual(history.reader?.minute('minutes', MINUTE, [1, 1]), service(1, 12, 3));
  t.deepEqual(history.reader?.minute('minutes', MINUTE, [2, 1]), service(2, 1));
  t.deepEqual(history.reader?.minute('minutes', MINUTE, [3, 1]), service(3, 2));
  await history.close(NOW);
});

test('ten minutes are the sum of their minutes, whenever the process ended in between, and whatever came late', async (t) => {
  const dir = tempDir(t);
  const parts = fc.array(
    fc.record({ minute: fc.integer({ min: 0, max: 39 }), calls: fc.integer({ min: 1, max: 9 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 0, max: 40 }), async (all, cut) => {
      const options = { dir: path.join(dir, `${run++}`), maxBytes: GIB };
      let history = new History(options);
      const sums = new Map<number, number>();
      for (const [index, { minute, calls }] of all.entries()) {
        if (index === cut) {
          await history.close(NOW + 3_600);
          history = new History(options);
        }
        history.keepMinute(minuteOf(MINUTE + minute, { services: [service(4, calls)] }));
        await history.work(NOW + 3_600);
        const ten = minute - (minute % 10);
        sums.set(ten, (sums.get(ten) ?? 0) + calls);
      }
      for (const [ten, calls] of sums)
        t.is(history.reader?.ten(MINUTE + ten, [4, 1])?.[2], calls, `ten minutes from ${ten} on`);
      await history.close(NOW + 3_600);
    }),
    { numRuns: 15 },
  );
});

test('what is too old goes, each kind in its time; what runs stays', async (t) => {
  const history = new History({ dir: tempDir(t), maxBytes: GIB });
  const day = 1_440;
  const old = firstIdOf(NOW - 31 * 86_400);
  history.keepEvent(event(old));
  history.keepEvent(event(firstIdOf(NOW - 29 * 86_400)));
  history.keepIncident(incident(old));
  history.keepIncident(incident(old + 1, { endedS: NOW - 31 * 86_400 }));
  for (const minute of [MINUTE - 15 * day, MINUTE - 2 * day, MINUTE - 5]) {
    history.keepMinute(minuteOf(minute, { hosts: [[1, 1, 7, 80, 5, 4, 2, 3]] }));
    await history.work(minute * 60 + 60);
  }
  await history.work(NOW);
  const reader = history.reader!;
  t.deepEqual(
    [...reader.events()].map(({ id }) => id),
    [firstIdOf(NOW - 29 * 86_400)],
  );
  t.deepEqual(
    [...reader.incidents()].map(({ id }) => id),
    [old],
  );
  t.is(reader.minute('minutes', MINUTE - 2 * day, [1, 1]), undefined);
  t.deepEqual(reader.minute('hosts', MINUTE - 2 * day, [1, 1, 7, 80]), [1, 1, 7, 80, 5, 4, 2, 3]);
  t.is(reader.ten(MINUTE - 2 * day, [1, 1])?.[2], 10, 'by ten minutes it is known for longer');
  t.deepEqual(reader.minute('minutes', MINUTE - 5, [1, 1]), service(1, 10));
  t.is(reader.ten(MINUTE - 15 * day, [1, 1]), undefined);
  await history.close(NOW);
});

test('the file stays within its bound however much comes; the newest minutes are there', async (t) => {
  const dir = tempDir(t);
  const maxBytes = 32 * MIB;
  const history = new History({ dir, maxBytes });
  const services = Array.from({ length: 8_000 }, (_, index) => service(index, index + 1));
  const hosts = Array.from({ length: 1_000 }, (_, index): Tally => [index, 1, 7, 80, 5, 4, 2, 3]);
  const minutes = 140;
  let largest = 0;
  for (let minute = 0; minute < minutes; minute++) {
    history.keepMinute(minuteOf(MINUTE + minute, { services, hosts }));
    await history.work(NOW + 60 * minute + 60);
    largest = Math.max(largest, statSync(path.join(dir, 'data.mdb')).size);
  }
  t.is(history.condition.state, 'ok');
  t.true(largest <= maxBytes, `${largest} bytes`);
  t.true(largest > maxBytes / 2, `${largest} bytes: the room is used`);
  const last = MINUTE + minutes - 1;
  t.deepEqual(history.reader?.minute('minutes', last, [7_999, 1]), service(7_999, 8_000));
  t.is(history.reader?.minute('minutes', MINUTE, [1, 1]), undefined);
  await history.close(NOW);
});

test('a bound that was lowered holds: the file is made shorter, the newest minutes stay', async (t) => {
  const dir = tempDir(t);
  const services = Array.from({ length: 8_000 }, (_, index) => service(index, 1));
  const first = new History({ dir, maxBytes: GIB });
  const minutes = 150;
  for (let minute = 0; minute < minutes; minute++) {
    first.keepMinute(minuteOf(MINUTE + minute, { services }));
    await first.work(NOW + 60 * minute + 60);
  }
  await first.close(NOW + 60 * minutes);
  const file = path.join(dir, 'data.mdb');
  const maxBytes = 32 * MIB;
  t.true(statSync(file).size > maxBytes);
  const second = new History({ dir, maxBytes });
  for (let pass = 0; pass < 5; pass++) await second.work(NOW + 60 * minutes);
  t.is(second.condition.state, 'ok');
  t.true(statSync(file).size <= maxBytes, `${statSync(file).size} bytes`);
  t.is(second.condition.bytes, statSync(file).size);
  t.deepEqual(second.reader?.minute('minutes', MINUTE + minutes - 1, [7_999, 1]), service(7_999, 1));
  t.is(second.reader?.minute('minutes', MINUTE, [1, 1]), undefined);
  await second.close(NOW);
});

test('a clock that was ahead and is set back leaves nothing in the future; minutes that meet are one', async (t) => {
  const dir = tempDir(t);
  const history = new History({ dir, maxBytes: GIB });
  // Right, then an hour ahead, then right again.
  history.keepMinute(minuteOf(MINUTE, { services: [service(1, 3)] }));
  await history.work(NOW + 60);
  for (const [minute, calls] of [
    [61, 5],
    [62, 6],
    [63, 7],
  ] as const) {
    history.keepMinute(minuteOf(MINUTE + minute, { services: [service(1, calls)] }));
    await history.work(NOW + 60 * minute + 60);
  }
  history.keepEvent(event(firstIdOf(NOW) + 1, { atS: NOW + 3_700 }));
  history.keepIncident(
    incident(firstIdOf(NOW) + 1, { beganS: NOW + 3_600, endedS: NOW + 3_700, lastS: NOW + 3_700 }),
  );
  await history.work(NOW + 3_840);
  await history.work(NOW + 120);
  const reader = history.reader!;
  t.deepEqual(reader.coverage(MINUTE, MINUTE + 3), [120, 60, 60, 0]);
  t.deepEqual(reader.coverage(MINUTE + 4, MINUTE + 70), new Array(67).fill(0));
  t.is(reader.minute('minutes', MINUTE, [1, 1])?.[2], 8);
  t.is(reader.minute('minutes', MINUTE + 2, [1, 1])?.[2], 7);
  t.is([...reader.events()][0]?.atS, NOW + 120);
  t.like([...reader.incidents()][0], { beganS: NOW + 120, endedS: NOW + 120 });
  t.deepEqual(
    reader.since(NOW + 121).map(({ id }) => id),
    [],
  );
  history.keepMinute(minuteOf(MINUTE + 3));
  await history.work(NOW + 240);
  t.deepEqual(reader.coverage(MINUTE + 3, MINUTE + 3), [60]);
  await history.close(NOW + 240);
});

test('a folder that cannot be used stops it, and it goes on by itself; what was kept meanwhile is not lost', async (t) => {
  const dir = path.join(tempDir(t), 'history');
  writeFileSync(dir, 'in the way');
  const history = new History({ dir, maxBytes: GIB, retryMs: 0 });
  history.keepEvent(event(ID + 1));
  await history.work(NOW);
  t.like(history.condition, { state: 'stopped', bytes: 0 });
  t.regex(history.condition.why!, /is not a folder/);
  t.is(history.reader, undefined);
  rmSync(dir);
  await history.work(NOW + 1);
  t.like(history.condition, { state: 'ok', why: null });
  t.deepEqual([...history.reader!.events()], [event(ID + 1)]);
  await history.close(NOW);
});

test('two processes do not write to one history; the second one goes on when the first has let go', async (t) => {
  const dir = tempDir(t);
  const first = new History({ dir, maxBytes: GIB });
  first.open();
  const second = new History({ dir, maxBytes: GIB, retryMs: 0 });
  second.keepEvent(event(ID + 2));
  await second.work(NOW);
  t.is(second.condition.state, 'stopped');
  t.regex(
    second.condition.why!,
    new RegExp(`the history .* is in use by process ${process.pid}.*history\\.dir`),
  );
  await first.close(NOW);
  await second.work(NOW + 1);
  t.is(second.condition.state, 'ok');
  t.deepEqual([...second.reader!.events()], [event(ID + 2)]);
  await second.close(NOW);
});

for (const [what, spoil] of [
  ['is something else', (file: string) => writeFileSync(file, 'x'.repeat(20_000))],
  ['is cut off', (file: string) => truncateSync(file, 9_000)],
] as const) {
  test(`a file that ${what} is put aside, and a new one is begun`, async (t) => {
    const dir = tempDir(t);
    const first = new History({ dir, maxBytes: GIB });
    for (let minute = 0; minute < 30; minute++) {
      first.keepMinute(
        minuteOf(MINUTE + minute, { services: Array.from({ length: 300 }, (_, at) => service(at, 1)) }),
      );
      await first.work(NOW + 60 * minute);
    }
    await first.close(NOW);
    const file = path.join(dir, 'data.mdb');
    spoil(file);
    const second = new History({ dir, maxBytes: GIB, retryMs: 0 });
    second.keepEvent(event(ID + 3));
    await second.work(NOW);
    t.is(second.condition.state, 'stopped');
    await second.work(NOW + 1);
    t.is(second.condition.state, 'ok');
    t.deepEqual([...second.reader!.events()], [event(ID + 3)]);
    t.true(existsSync(`${file}.damaged`));
    await second.close(NOW);
  });
}

test('a file that is deleted while it is open is noticed, and a new one is begun', async (t) => {
  const dir = path.join(tempDir(t), 'history');
  mkdirSync(dir);
  const history = new History({ dir, maxBytes: GIB, retryMs: 0 });
  history.keepEvent(event(ID + 1));
  await history.work(NOW);
  rmSync(dir, { recursive: true });
  history.keepEvent(event(ID + 2));
  await history.work(NOW + 1);
  t.is(history.condition.state, 'stopped');
  await history.work(NOW + 2);
  t.is(history.condition.state, 'ok');
  t.deepEqual([...history.reader!.events()], [event(ID + 2)]);
  await history.close(NOW);
});
