import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { RowBatch } from '../../src/model/row.js';
import type { EventSink } from '../../src/observe/events.js';
import { partitionOf } from '../../src/partition/hash.js';
import type { Batch, Credit, WriterMessage } from '../../src/routing/protocol.js';
import { spawnRouter } from '../../src/routing/router.js';
import { type ActorRef, spawn, startSystem, stop, tell } from '../../src/runtime/actors.js';
import { until } from '../../src/testing/until.js';
import { pack } from '../model/samples.js';

const LANES = 4;
/** The lane that is used to learn that the router has handled all it was told so far. */
const PROBE = 3;

/** Services by the partition they fall on. */
const services = Array.from({ length: LANES }, (_, partition) =>
  Array.from({ length: 200 }, (_, modid) => modid).filter(
    (modid) => partitionOf(modid, 1, LANES) === partition,
  ),
);

/** A row of host `host` of a service of partition `partition`. */
const row = (partition: number, host: number, value: number) => ({
  modid: services[partition]![host % 3]!,
  cmdid: 1,
  ip: host,
  succ: value,
});

interface Given {
  readonly host: number;
  readonly value: number;
}
const hostsOf = ({ rows }: Batch): Given[] =>
  [...new RowBatch(rows)].map(({ ip, succ }) => ({ host: ip, value: succ }));

/** Events of a router that never fails. */
const failing = (t: ExecutionContext): EventSink => ({
  emit: (event) => t.fail(event.type),
});

/** A router in front of writers that keep what they are handed and answer when the test says so. */
class Bench {
  readonly #t: ExecutionContext;
  readonly #router: ReturnType<typeof spawnRouter>;
  readonly #system = startSystem();
  /** What each writer was handed, in order. */
  readonly handed: Batch[][] = Array.from({ length: LANES }, () => []);
  readonly #writers: ActorRef<WriterMessage>[];
  #probed: (() => void) | undefined;

  constructor(t: ExecutionContext) {
    this.#t = t;
    this.#router = spawnRouter(this.#system, { writers: LANES, groupMs: 0, events: failing(t) });
    this.#writers = this.handed.map((_, partition) => this.#spawnWriter(partition, 0));
    this.ready(PROBE, 0);
  }

  get waitingRows(): number {
    return this.#router.waitingRows;
  }

  /** Tells rows and returns what becomes of their credit. */
  send(...rows: readonly ReturnType<typeof row>[]): { credit: Credit; settled: number } {
    const outcome = {
      settled: 0,
      credit: {
        outstanding: 0,
        isAwaited: false,
        settled: () => {
          outcome.settled++;
        },
      } satisfies Credit,
    };
    this.#router.inbox.offer(pack(...rows), outcome.credit);
    return outcome;
  }

  ready(partition: number, batchId: number): void {
    tell(this.#router.ref, { kind: 'ready', partition, batchId });
  }

  journaled(partition: number, batchId: number): void {
    tell(this.#router.ref, { kind: 'journaled', partition, batchId });
  }

  /** Resolves when the router has handled everything so far and the writers have what it handed over. */
  async handled(): Promise<void> {
    // The first one may be taken from the inbox before messages that were told earlier; the second one is behind them.
    await this.#probe();
    await this.#probe();
  }

  #probe(): Promise<void> {
    return new Promise((resolve) => {
      this.#probed = resolve;
      this.send(row(PROBE, 0, 0));
    });
  }

  /** Tells rows, waits until they are handled, and gives what the writer of `partition` was handed so far. */
  async after(partition: number, ...rows: readonly ReturnType<typeof row>[]): Promise<Batch[]> {
    if (rows.length > 0) this.send(...rows);
    await this.handled();
    return this.handed[partition]!;
  }

  stopWriter(partition: number): void {
    stop(this.#writers[partition]!);
  }

  replaceWriter(partition: number): void {
    this.#writers[partition] = this.#spawnWriter(partition, 1);
  }

  #spawnWriter(partition: number, generation: number): ActorRef<WriterMessage> {
    const writer = spawn<WriterMessage>(this.#system, {
      name: `writer-${partition}-${generation}`,
      receive: (message) => {
        if (message.kind !== 'batch') return;
        if (partition !== PROBE) {
          // A copy: the router uses the memory of a journaled batch again.
          this.handed[partition]!.push({ ...message.batch, rows: message.batch.rows.slice() });
          return;
        }
        this.journaled(PROBE, message.batch.id);
        const probed = this.#probed;
        this.#probed = undefined;
        probed?.();
      },
      onCrash: (error) => {
        this.#t.fail(error.message);
        return 'resume';
      },
    });
    this.#router.connect(partition, writer);
    return writer;
  }
}

test('rows go to the partition of their service, each key once with its newest value, in the order they came', async (t) => {
  const bench = new Bench(t);
  for (const partition of [0, 1, 2]) bench.ready(partition, 0);
  bench.send(row(0, 1, 1), row(1, 2, 2), row(0, 2, 3), row(2, 1, 4), row(0, 1, 5), row(1, 1, 6));
  await bench.handled();
  t.deepEqual(
    bench.handed.slice(0, PROBE).map((batches) => batches.map(hostsOf)),
    [
      [
        [
          { host: 1, value: 5 },
          { host: 2, value: 3 },
        ],
      ],
      [
        [
          { host: 2, value: 2 },
          { host: 1, value: 6 },
        ],
      ],
      [[{ host: 1, value: 4 }]],
    ],
  );
  t.deepEqual(
    bench.handed.slice(0, PROBE).map(([batch]) => [batch?.id, batch?.received]),
    [
      [1, 3],
      [1, 2],
      [1, 1],
    ],
  );
});

test('a writer gets nothing before it is ready, and then everything at once, numbered from its last batch', async (t) => {
  const bench = new Bench(t);
  t.deepEqual(await bench.after(0, row(0, 1, 1)), []);
  t.deepEqual(await bench.after(0, row(0, 2, 2), row(0, 1, 3)), []);
  t.is(bench.waitingRows, 3 + 1);
  bench.ready(0, 41);
  const [batch, ...more] = await bench.after(0);
  t.deepEqual(more, []);
  t.is(batch?.id, 42);
  t.is(batch?.received, 3);
  t.deepEqual(hostsOf(batch!), [
    { host: 1, value: 3 },
    { host: 2, value: 2 },
  ]);
});

test('while a writer is busy rows gather, merged, and go as one batch when the last is journaled', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 0);
  await bench.after(0, row(0, 1, 1));
  for (const value of [2, 3, 4]) await bench.after(0, row(0, 1, value), row(0, value, value));
  t.is(bench.handed[0]?.length, 1);
  bench.journaled(0, 1);
  const [, second, ...more] = await bench.after(0);
  t.deepEqual(more, []);
  t.is(second?.id, 2);
  t.is(second?.received, 6);
  t.deepEqual(hostsOf(second!), [
    { host: 1, value: 4 },
    { host: 2, value: 2 },
    { host: 3, value: 3 },
    { host: 4, value: 4 },
  ]);
  bench.journaled(0, 2);
  t.is((await bench.after(0)).length, 2, 'nothing is handed over when nothing has come');
});

test('a busy writer does not hold up the others', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 0);
  bench.ready(1, 0);
  await bench.after(0, row(0, 1, 1));
  t.is((await bench.after(1, row(0, 1, 2), row(1, 1, 2))).length, 1);
  t.is(bench.handed[0]?.length, 1);
});

test('a batch the writer comes back without is handed over again, before anything newer', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 7);
  await bench.after(0, row(0, 1, 1));
  await bench.after(0, row(0, 1, 2));
  for (let crash = 0; crash < 3; crash++) {
    bench.ready(0, 7);
    await bench.handled();
  }
  const [first, ...again] = bench.handed[0]!;
  t.is(first?.id, 8);
  t.is(again.length, 3);
  for (const batch of again) t.deepEqual(batch, first!);
  bench.journaled(0, 8);
  t.deepEqual(hostsOf((await bench.after(0)).at(-1)!), [{ host: 1, value: 2 }]);
});

test('what a batch holds stays as it is until it is journaled, whatever comes meanwhile', async (t) => {
  const bench = new Bench(t);
  for (const partition of [0, 1, 2]) bench.ready(partition, 0);
  await bench.after(0, row(0, 1, 1), row(0, 2, 2));
  for (let value = 3; value < 30; value++) {
    await bench.after(1, row(0, 1, value), row(1, 3, value), row(2, 4, value));
    for (const partition of [1, 2]) bench.journaled(partition, value - 2);
  }
  // Handed over again, and looked at again.
  bench.ready(0, 0);
  t.deepEqual((await bench.after(0)).map(hostsOf), [
    [
      { host: 1, value: 1 },
      { host: 2, value: 2 },
    ],
    [
      { host: 1, value: 1 },
      { host: 2, value: 2 },
    ],
  ]);
});

test('a copy of a batch that a crash has left in the mailbox is void once the batch is journaled', async (t) => {
  const system = startSystem();
  t.teardown(() => stop(system));
  const router = spawnRouter(system, { writers: 1, groupMs: 0, events: failing(t) });
  const handed: Batch[] = [];
  const receive = (message: WriterMessage) => {
    if (message.kind === 'batch') handed.push(message.batch);
  };
  router.connect(0, spawn<WriterMessage>(system, { name: 'w', receive, onCrash: () => 'resume' }));
  const send = (host: number) =>
    router.inbox.offer(pack({ ip: host }), { outstanding: 0, isAwaited: false, settled: () => {} });
  const told = (kind: 'ready' | 'journaled', batchId: number) =>
    tell(router.ref, { kind, partition: 0, batchId });
  told('ready', 0);
  send(1);
  await until(() => handed.length === 1, { boundMs: 5000, what: 'the batch' });
  told('ready', 0);
  await until(() => handed.length === 2, { boundMs: 5000, what: 'its copy' });
  t.false(handed[1]!.isJournaled);
  send(2);
  told('journaled', 1);
  await until(() => handed.length === 3, { boundMs: 5000, what: 'the next one' });
  t.deepEqual(
    handed.map(({ id, isJournaled }) => ({ id, isJournaled })),
    [
      { id: 1, isJournaled: true },
      { id: 1, isJournaled: true },
      { id: 2, isJournaled: false },
    ],
  );
});

test('a batch the writer comes back with is not handed over again; it is paid back and the next follows', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 7);
  const first = bench.send(row(0, 1, 1));
  await bench.handled();
  const second = bench.send(row(0, 1, 2));
  bench.ready(0, 8);
  const [, next, ...more] = await bench.after(0);
  t.deepEqual(more, []);
  t.is(first.settled, 1);
  t.is(second.settled, 0);
  t.is(next?.id, 9);
  t.deepEqual(hostsOf(next!), [{ host: 1, value: 2 }]);
});

test('a word on a batch that is not the present one changes nothing', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 0);
  const first = bench.send(row(0, 1, 1));
  await bench.handled();
  for (const id of [0, 2, 99]) bench.journaled(0, id);
  await bench.after(0, row(0, 1, 2));
  t.is(first.settled, 0);
  bench.journaled(0, 1);
  bench.journaled(0, 1);
  await bench.handled();
  t.is(first.settled, 1);
  t.is(bench.handed[0]?.length, 2);
});

test('credit is paid back once, when every partition has journaled its part', async (t) => {
  const bench = new Bench(t);
  for (const partition of [0, 1, 2]) bench.ready(partition, 0);
  const credit = bench.send(row(0, 1, 1), row(1, 1, 1), row(0, 2, 1), row(2, 1, 1), row(1, 2, 1));
  for (const partition of [1, 0]) {
    bench.journaled(partition, 1);
    await bench.handled();
    t.is(credit.settled, 0);
  }
  bench.journaled(2, 1);
  await bench.handled();
  t.is(credit.settled, 1);
  t.is(credit.credit.outstanding, 0);
});

test('a batch whose writer is gone stays unpaid until a writer has it', async (t) => {
  const bench = new Bench(t);
  bench.ready(0, 0);
  bench.stopWriter(0);
  const credit = bench.send(row(0, 1, 1));
  await bench.handled();
  await bench.after(0, row(0, 1, 2));
  t.is(bench.waitingRows, 2 + 1);
  bench.replaceWriter(0);
  bench.ready(0, 0);
  t.deepEqual((await bench.after(0)).map(hostsOf), [[{ host: 1, value: 1 }]]);
  t.is(credit.settled, 0);
  bench.journaled(0, 1);
  t.is((await bench.after(0)).length, 2);
  t.is(credit.settled, 1);
});

const step = fc.tuple(
  fc.constantFrom('send', 'send', 'journal', 'journal', 'lose', 'lose the answer', 'answer twice'),
  fc.nat(2),
  fc.array(fc.tuple(fc.nat(2), fc.nat(5)), { minLength: 1, maxLength: 6 }),
);

test('whenever writers crash, each journals every key in order and to its newest value, and all credit is paid once', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const bench = new Bench(t);
      const lanes = Array.from({ length: PROBE }, () => ({
        /** The last batch in the journal. */
        last: 0,
        handled: 0,
        received: 0,
        journal: [] as Given[],
      }));
      for (const partition of lanes.keys()) bench.ready(partition, 0);
      const sent: { outcome: ReturnType<Bench['send']>; parts: Set<number>; value: number }[] = [];
      let value = 0;

      /** Journals the batch the writer was handed, if it was; what it has already it passes over. */
      const journal = (partition: number): Batch | undefined => {
        const lane = lanes[partition]!;
        const batch = bench.handed[partition]![lane.handled];
        if (!batch) return undefined;
        lane.handled++;
        if (batch.id <= lane.last) return batch;
        t.is(batch.id, lane.last + 1);
        lane.last = batch.id;
        lane.received += batch.received;
        lane.journal.push(...hostsOf(batch));
        return batch;
      };
      const run = async ([kind, partition, rows]: readonly [
        string,
        number,
        readonly (readonly [number, number])[],
      ]) => {
        const lane = lanes[partition]!;
        if (kind === 'send') {
          value++;
          const outcome = bench.send(...rows.map(([to, host]) => row(to, host, value)));
          sent.push({ outcome, parts: new Set(rows.map(([to]) => to)), value });
        } else if (kind === 'lose') {
          // Crashes with the batch in its hands.
          if (bench.handed[partition]!.length > lane.handled) lane.handled++;
          bench.ready(partition, lane.last);
        } else {
          const batch = journal(partition);
          if (!batch) return;
          if (kind === 'lose the answer') bench.ready(partition, lane.last);
          else bench.journaled(partition, batch.id);
          if (kind === 'answer twice') bench.journaled(partition, batch.id);
        }
        await bench.handled();
        for (const { outcome, parts, value: number } of sent) {
          const done = [...parts].every((part) => has(part, number));
          t.true(outcome.settled <= (done ? 1 : 0), 'credit is paid once, and not too early');
        }
      };
      /** Whether the lane's journal holds what was sent with `number`, or newer values of all its keys. */
      const has = (part: number, number: number) =>
        lanes[part]!.journal.some((given) => given.value >= number);

      for (const one of steps) await run(one);
      for (let rounds = 0; sent.some(({ outcome }) => outcome.settled === 0); rounds++) {
        if (rounds > 20) throw new Error('some credit is never paid back');
        for (const partition of lanes.keys()) await run(['journal', partition, []]);
      }
      await bench.handled();
      t.true(sent.every(({ outcome }) => outcome.settled === 1 && outcome.credit.outstanding === 0));
      for (const [partition, lane] of lanes.entries()) {
        const newest = new Map<number, number>();
        for (const { host, value: given } of lane.journal) {
          t.true(given > (newest.get(host) ?? 0), 'no key goes back, and nothing is journaled twice');
          newest.set(host, given);
        }
        t.is(lane.received, sentTo(steps, partition));
      }
    }),
    { numRuns: 60 },
  );
});

/** Rows that were sent to a partition. */
function sentTo(
  steps: readonly (readonly [string, number, readonly (readonly [number, number])[]])[],
  partition: number,
): number {
  return steps
    .filter(([kind]) => kind === 'send')
    .reduce((sum, [, , rows]) => sum + rows.filter(([to]) => to === partition).length, 0);
}

test('a sender whose call back fails does not keep the credit of others', async (t) => {
  const system = startSystem();
  t.teardown(() => stop(system));
  const failures: string[] = [];
  const router = spawnRouter(system, {
    writers: 1,
    groupMs: 0,
    events: { emit: (event) => event.type === 'routing-failed' && failures.push(event.error.message) },
  });
  let handed = 0;
  let settled = 0;
  const receive = () => {
    handed++;
  };
  router.connect(0, spawn<WriterMessage>(system, { name: 'w', receive, onCrash: () => 'resume' }));
  const rows = (modid: number, done: () => void) =>
    router.inbox.offer(pack({ modid }), { outstanding: 0, isAwaited: false, settled: done });
  rows(1, () => {
    throw new Error('of the sender');
  });
  rows(2, () => {
    settled++;
  });
  tell(router.ref, { kind: 'ready', partition: 0, batchId: 0 });
  await until(() => handed > 0, { boundMs: 5000, what: 'the batch is handed over' });
  tell(router.ref, { kind: 'journaled', partition: 0, batchId: 1 });
  tell(router.ref, { kind: 'journaled', partition: 0, batchId: 2 });
  await until(() => failures.length === 1 && settled === 1, { boundMs: 5000, what: 'both to be told' });
  t.deepEqual(failures, ['of the sender']);
});
