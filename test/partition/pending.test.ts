import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { compareKeys, RowBatch, WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import type { Chunk } from '../../src/partition/chunk.js';
import { Counts } from '../../src/partition/counts.js';
import { newKeys } from '../../src/partition/new-keys.js';
import type { Pass } from '../../src/partition/pass.js';
import { PendingRows } from '../../src/partition/pending.js';
import { contentOf, keyOf, pack, randomOf } from '../model/samples.js';

/** A row of key `key`, in which keys close to each other differ in several columns and signs. */
function row(key: number, value: number): Int32Array {
  return pack({
    modid: (key % 5) - 2,
    cmdid: (key >> 3) % 7,
    ip: -key,
    caller: key % 3,
    succ: value,
    ts: value,
    overload: isOverload(value),
  });
}

const isOverload = (value: number) => value % 4 === 0;

const concat = (rows: readonly Int32Array[]): Int32Array => Int32Array.from(rows.flatMap((row) => [...row]));

/** What the model knows of one key. `version` rises with each fold of it. */
interface Known {
  readonly content: string;
  readonly version: number;
  /** Of the oldest report of it that the store does not have. */
  readonly since: number;
  /** Of the first report after the one in flight. */
  readonly renewed: number;
  readonly waiting: boolean;
  /** It waits, and is set aside. */
  readonly aside?: boolean;
  readonly overload: boolean;
  /** It waits, and is not sent before the rest of its key is over. */
  readonly resting: boolean;
}

/** What the model remembers of a key that was stored. */
interface Stored {
  readonly untilMs: number;
  readonly overload: boolean;
}

const REST_MS = 100;

/** A chunk as it was taken: version of each key. */
interface Sent {
  readonly chunk: Chunk;
  readonly versions: ReadonlyMap<string, number>;
  readonly overloads: ReadonlyMap<string, boolean>;
}

interface JournalRecord {
  readonly confirmed: Int32Array;
  readonly superseded: number;
}

/**
 * Drives pending rows as a writer and its flush loop do – batches, passes, chunks that the store takes or refuses,
 * checkpoints that take a while to become durable, restarts – beside a plain model, and compares after each step.
 */
class Writer {
  pending: PendingRows;
  #restMs: number;
  #nowMs = 0;
  readonly #stored = new Map<string, Stored>();
  readonly counts = new Counts();
  readonly #t: ExecutionContext;
  readonly #known = new Map<string, Known>();
  #versions = 0;
  #pass: Pass | undefined;
  /** Keys that waited when the pass began and have not been sent since. */
  #due = new Set<string>();
  #inFlight: Sent | undefined;
  #flushed: Sent[] = [];
  /** Slots that were set aside. */
  #aside: Int32Array[] = [];
  /** On its way to the disk. */
  #record: { readonly record: JournalRecord; readonly chunks: readonly Sent[] } | undefined;

  constructor(t: ExecutionContext, restMs = 0) {
    this.#t = t;
    this.#restMs = restMs;
    this.pending = new PendingRows({ restMs, maxResting: 100_000 });
  }

  get keys(): number {
    return this.#known.size;
  }

  /** A batch is in the journal. */
  fold(rows: Int32Array, since: number): void {
    // Records are made and applied one after the other.
    if (this.#record) return;
    let coalesced = 0;
    for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
      const one = rows.subarray(at, at + WORDS_PER_ROW);
      const known = this.#known.get(keyOf(one));
      if (known?.waiting) coalesced++;
      const overload = isOverload(one[5]!);
      const mayRest = known?.waiting ? known.resting : !this.#isInFlight(one);
      this.#known.set(keyOf(one), {
        content: [...contentOf(one).values()][0]!,
        version: ++this.#versions,
        since: known && (known.waiting || this.#isInFlight(one)) ? known.since : since,
        renewed: known?.waiting ? known.renewed : since,
        waiting: true,
        aside: known?.aside === true,
        overload,
        resting: mayRest && this.#stored.get(keyOf(one))?.overload === overload,
      });
    }
    this.#t.is(this.pending.fold(rows, since), coalesced);
    this.counts.received += rows.length / WORDS_PER_ROW;
    this.counts.coalesced += coalesced;
    this.check();
  }

  /** The flush loop takes the next chunk, beginning a pass when there is none. */
  next(maxRows: number, orderSteps = Number.POSITIVE_INFINITY): void {
    if (this.#inFlight) return;
    const waiting = this.#waiting();
    if (!this.#pass) {
      this.#pass = this.pending.pass();
      this.#due = new Set(waiting.keys());
      this.#t.is(this.#pass.length, waiting.size);
    }
    for (let step = 0; !this.#pass.order(); step++) if (step >= orderSteps) return;
    const chunk = this.#pass.next(maxRows);
    if (!chunk) {
      this.#t.deepEqual([...this.#due], [], 'a pass sends every key that waited when it began');
      this.#pass = undefined;
      this.check();
      return;
    }
    this.#took(chunk, maxRows, waiting);
  }

  /** The store took the chunk in flight. */
  stored(): void {
    const sent = this.#inFlight;
    if (!sent) return;
    this.#flushed.push(sent);
    this.#inFlight = undefined;
    this.pending.stored(sent.chunk, this.#nowMs);
    for (const [key, version] of sent.versions) {
      const known = this.#known.get(key)!;
      const overload = sent.overloads.get(key)!;
      if (this.#restMs > 0) this.#stored.set(key, { untilMs: this.#nowMs + this.#restMs, overload });
      const resting = this.#restMs > 0 && known.overload === overload;
      if (known.version !== version) this.#known.set(key, { ...known, since: known.renewed, resting });
    }
    this.check();
  }

  /** The store refused it: its rows wait again, and the same keys, or the first of them, are taken anew. */
  failed(retakeRows: number): void {
    const sent = this.#inFlight;
    if (!sent) return;
    this.#inFlight = undefined;
    const replaced = this.pending.release(sent.chunk);
    this.counts.coalesced += replaced;
    this.#t.is(replaced, this.#superseded([sent]));
    for (const [key, version] of sent.versions) {
      const known = this.#known.get(key)!;
      if (known.version === version) this.#known.set(key, { ...known, waiting: true });
    }
    this.check();
    if (retakeRows === 0) return;
    const waiting = this.#waiting();
    const chunk = this.pending.take(sent.chunk.slots.subarray(0, retakeRows));
    if (!chunk) this.#t.fail('rows that were released can be taken');
    else this.#took(chunk, retakeRows, waiting);
  }

  /** Time passes. */
  wait(ms: number): void {
    this.#nowMs += ms;
    this.pending.endRests(this.#nowMs);
    for (const [key, { untilMs }] of this.#stored) if (untilMs <= this.#nowMs) this.#forget(key);
    this.check();
  }

  #forget(key: string): void {
    this.#stored.delete(key);
    const known = this.#known.get(key);
    if (known?.resting) this.#known.set(key, { ...known, resting: false });
  }

  /** The store took too long for it: its rows are set aside, in two parts. */
  tooSlow(): void {
    const sent = this.#inFlight;
    if (!sent) return;
    this.failed(0);
    const { slots } = sent.chunk;
    const middle = slots.length >>> 1;
    for (const part of [slots.subarray(0, middle), slots.subarray(middle)]) {
      this.pending.setAside(part);
      this.#aside.push(part);
    }
    for (const key of sent.versions.keys()) {
      this.#known.set(key, { ...this.#known.get(key)!, aside: true });
      this.#due.delete(key);
    }
    this.check();
  }

  /** What was set aside is to be tried again. */
  takenBack(): void {
    for (const part of this.#aside.splice(0)) this.pending.takeBack(part);
    for (const [key, known] of this.#known) this.#known.set(key, { ...known, aside: false });
    this.check();
  }

  /** A checkpoint of what was stored is made, and on its way to the disk. */
  checkpoint(): void {
    if (this.#record) return;
    const chunks = this.#flushed;
    this.#flushed = [];
    const confirmed = concat(chunks.map(({ chunk }) => this.pending.unchangedKeys([chunk])));
    const sent = chunks.reduce((rows, { chunk }) => rows + chunk.rows.length, 0);
    const superseded = sent - confirmed.length / WORDS_PER_KEY;
    this.#t.is(superseded, this.#superseded(chunks));
    this.#record = { record: { confirmed, superseded }, chunks };
  }

  /** The checkpoint is durable, and is applied. */
  applied(): void {
    if (!this.#record) return;
    const { record, chunks } = this.#record;
    this.#record = undefined;
    const confirmed = this.pending.confirm(record.confirmed, record.superseded);
    this.counts.upserted += confirmed + record.superseded;
    let unchanged = 0;
    for (const { versions } of chunks) {
      for (const [key, version] of versions) {
        if (this.#known.get(key)?.version !== version) continue;
        this.#known.delete(key);
        unchanged++;
      }
    }
    this.#t.is(confirmed, unchanged);
    this.check();
  }

  /** The writer crashed: the rows are restored from a snapshot of `pieceSlots` slots a piece. */
  restart(pieceSlots: number): void {
    // What was replaced in flight is lost sight of; the newer values will be sent.
    const unsettled = [this.#inFlight, ...this.#flushed, ...(this.#record?.chunks ?? [])];
    this.counts.coalesced += this.#superseded(unsettled.filter((sent) => sent !== undefined));
    const old = this.pending;
    this.pending = new PendingRows({ restMs: this.#restMs, maxResting: 100_000 });
    for (const key of [...this.#stored.keys()]) this.#forget(key);
    for (let slot = 0; slot < old.slotEnd; slot += pieceSlots) {
      this.pending.restore(old.copySlots(slot, slot + pieceSlots));
    }
    this.#pass = undefined;
    this.#inFlight = undefined;
    this.#flushed = [];
    this.#record = undefined;
    this.#aside = [];
    for (const [key, known] of this.#known) this.#known.set(key, { ...known, waiting: true, aside: false });
    this.check();
  }

  /** Sends everything there is and confirms it. */
  drain(maxRows: number): void {
    this.takenBack();
    this.pending.stopResting();
    this.#restMs = 0;
    for (const key of [...this.#stored.keys()]) this.#forget(key);
    for (let rounds = 0; this.keys > 0; rounds++) {
      if (rounds > 100_000) throw new Error('it does not come to an end');
      this.stored();
      this.applied();
      this.checkpoint();
      this.applied();
      this.next(maxRows);
    }
    this.stored();
    this.checkpoint();
    this.applied();
    this.#t.is(this.pending.held, 0);
    this.#t.is(this.pending.oldestSince, undefined);
    this.#t.is(this.pending.slotEnd, 0);
  }

  check(): void {
    const { pending } = this;
    const superseded = this.#superseded(
      [this.#inFlight, ...this.#flushed, ...(this.#record?.chunks ?? [])].filter(
        (sent) => sent !== undefined,
      ),
    );
    const rows = pending.copySlots(0, pending.slotEnd);
    const seen = {
      keys: pending.keys,
      bytes: pending.bytes,
      held: pending.held,
      waiting: pending.waiting,
      aside: pending.aside,
      remembered: pending.remembered,
      sample: pending.waitingSlot(3).length,
      oldestSince: pending.oldestSince,
      copied: rows.length / WORDS_PER_ROW,
      balanced: this.counts.ledger(pending.held).balanced,
    };
    const all = [...this.#known.values()];
    const wanted = {
      keys: this.keys,
      bytes: this.keys * 40,
      held: this.keys + superseded,
      waiting: this.#waiting().size,
      aside: all.filter(({ aside }) => aside).length,
      remembered:
        [...this.#stored.keys()].filter((key) => !this.#known.has(key)).length +
        all.filter(({ resting }) => resting).length,
      sample: Math.min(1, this.#waiting().size),
      oldestSince: all.length === 0 ? undefined : Math.min(...all.map(({ since }) => since)),
      copied: this.keys,
      balanced: true,
    };
    this.#t.deepEqual(seen, wanted);
    const content = contentOf(rows);
    for (const [key, known] of this.#known)
      if (content.get(key) !== known.content) this.#t.is(content.get(key), known.content);
  }

  #took(chunk: Chunk, maxRows: number, waiting: ReadonlyMap<string, Known>): void {
    const t = this.#t;
    const { words } = chunk.rows;
    t.true(chunk.id > 0);
    t.true(chunk.rows.length > 0 && chunk.rows.length <= maxRows);
    t.is(chunk.slots.length, chunk.rows.length);
    const versions = new Map<string, number>();
    for (const [key, content] of contentOf(words)) {
      const known = waiting.get(key);
      if (!known) t.fail(`${key} is sent though it does not wait`);
      else if (known.content !== content) t.is(content, known.content, 'the newest value is sent');
      else {
        versions.set(key, known.version);
        this.#known.set(key, { ...known, waiting: false });
        this.#due.delete(key);
      }
    }
    t.is(versions.size, chunk.rows.length, 'each key is sent once');
    for (let at = WORDS_PER_ROW; at < words.length; at += WORDS_PER_ROW)
      if (compareKeys(words, at - WORDS_PER_ROW, words, at) >= 0) t.fail('rows come in primary-key order');
    const overloads = new Map([...versions.keys()].map((key) => [key, this.#known.get(key)!.overload]));
    this.#inFlight = { chunk, versions, overloads };
    this.check();
  }

  /** Whether a value of the key is on its way to the store. */
  #isInFlight(one: Int32Array): boolean {
    return this.#inFlight?.versions.has(keyOf(one)) ?? false;
  }

  #waiting(): Map<string, Known> {
    return new Map(
      [...this.#known].filter(([, { waiting, aside, resting }]) => waiting && !aside && !resting),
    );
  }

  /** Values in these chunks that newer ones have replaced. */
  #superseded(sent: readonly Sent[]): number {
    let superseded = 0;
    for (const { versions } of sent)
      for (const [key, version] of versions) if (this.#known.get(key)?.version !== version) superseded++;
    return superseded;
  }
}

type Step = readonly [
  kind:
    | 'fold'
    | 'wait'
    | 'next'
    | 'stored'
    | 'failed'
    | 'tooSlow'
    | 'takenBack'
    | 'checkpoint'
    | 'applied'
    | 'restart',
  number,
  rows: readonly (readonly [key: number, value: number])[],
];

const steps = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('fold' as const) },
      { weight: 5, arbitrary: fc.constant('next' as const) },
      { weight: 3, arbitrary: fc.constant('wait' as const) },
      { weight: 3, arbitrary: fc.constant('stored' as const) },
      { weight: 1, arbitrary: fc.constant('failed' as const) },
      { weight: 1, arbitrary: fc.constant('tooSlow' as const) },
      { weight: 1, arbitrary: fc.constant('takenBack' as const) },
      { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
      { weight: 2, arbitrary: fc.constant('applied' as const) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
    ),
    fc.nat(6),
    fc.array(fc.tuple(fc.nat(9), fc.nat(50)), { maxLength: 6 }),
  ),
  { maxLength: 80, size: 'max' },
);

function run(writer: Writer, [kind, number, rows]: Step, second: number): void {
  switch (kind) {
    case 'fold':
      writer.fold(concat(rows.map(([key, value]) => row(key, value))), second);
      break;
    case 'next':
      writer.next(number + 1);
      break;
    case 'wait':
      writer.wait(number * 20);
      break;
    case 'failed':
      writer.failed(number);
      break;
    case 'restart':
      writer.restart(number + 1);
      break;
    default:
      writer[kind]();
  }
}

test('whatever happens in whichever order, the newest value of each key stays pending until the store has it', (t) => {
  fc.assert(
    fc.property(steps, fc.constantFrom(0, REST_MS), (list, restMs) => {
      const writer = new Writer(t, restMs);
      for (const [second, step] of list.entries()) run(writer, step as Step, 1000 + second);
      writer.drain(3);
    }),
    { numRuns: 600 },
  );
});

test('so it does with thousands of keys, and with the ordering of a pass interrupted', (t) => {
  for (const seed of [1, 2]) {
    const random = randomOf(seed);
    const writer = new Writer(t, seed === 1 ? 0 : REST_MS);
    for (let index = 0; index < 250; index++) {
      const kind = (['fold', 'next', 'stored', 'checkpoint', 'applied', 'next', 'failed', 'wait'] as const)[
        random(8)
      ]!;
      if (kind === 'fold')
        writer.fold(
          concat(Array.from({ length: random(500) }, () => row(random(4000), random(1000)))),
          1000 + index,
        );
      else if (kind === 'next') writer.next(1 + random(150), random(12));
      else if (kind === 'failed') writer.failed(random(50));
      else if (kind === 'wait') writer.wait(random(40));
      else writer[kind]();
      if (index === 100) writer.restart(700);
    }
    t.true(writer.keys > 600, `${writer.keys} keys are pending`);
    writer.drain(1000);
  }
});

test('a key that is reported again and again is sent in every pass, and so is every other', (t) => {
  const pending = new PendingRows();
  const keys = 700;
  pending.fold(concat(Array.from({ length: keys }, (_, key) => row(key, 0))), 1);
  for (let pass = 1; pass < 5; pass++) {
    const current = pending.pass();
    while (!current.order());
    t.is(current.length, keys);
    const sent = new Map<string, string>();
    for (let chunk = current.next(64), value = 0; chunk; chunk = current.next(64)) {
      for (const [key, content] of contentOf(chunk.rows.words)) sent.set(key, content);
      // Everything changes while the chunk is on its way: behind the cursor, in it, and before it.
      value++;
      pending.fold(concat(Array.from({ length: keys }, (_, key) => row(key, pass * 100 + value))), 2);
      const confirmed = pending.unchangedKeys([chunk]);
      t.is(confirmed.length, 0);
      pending.confirm(confirmed, chunk.rows.length);
    }
    t.is(sent.size, keys);
    // The last chunk carried values of after the chunk before it.
    t.true([...sent.values()].some((content) => content.startsWith(`${pass * 100 + 10} `)));
  }
  t.is(pending.held, keys);
});

test('a chunk keeps the values it was sent with', (t) => {
  const pending = new PendingRows();
  pending.fold(row(1, 10), 5);
  const chunk = pending.take(Int32Array.of(0))!;
  pending.fold(row(1, 11), 6);
  t.is(chunk.rows.at(0).succ, 10);
  t.is(pending.pass().length, 1);
});

test('a key waits since it was first reported, not since its last change', (t) => {
  const pending = new PendingRows();
  t.is(pending.oldestSince, undefined);
  pending.fold(row(1, 1), 100);
  pending.fold(row(2, 1), 90);
  pending.fold(row(1, 2), 110);
  pending.fold(row(2, 2), 120);
  t.is(pending.oldestSince, 90);
});

test('a key that is reported again while the store hangs keeps the age of the report in flight, until that is stored', (t) => {
  for (const isStored of [true, false]) {
    const pending = new PendingRows();
    pending.fold(concat([row(1, 1), row(2, 1)]), 100);
    const chunk = pending.take(Int32Array.of(0, 1))!;
    for (const second of [130, 160, 190]) {
      pending.fold(concat([row(1, second), row(2, second)]), second);
      t.is(pending.oldestSince, 100);
    }
    if (isStored) pending.stored(chunk, 0);
    else t.is(pending.release(chunk), 2);
    t.is(pending.oldestSince, isStored ? 130 : 100);
    // And so it stands in a snapshot that is taken meanwhile.
    const restored = new PendingRows();
    restored.restore(pending.copySlots(0, pending.slotEnd), 1000);
    t.is(restored.oldestSince, pending.oldestSince);
  }
});

test('nothing waits since later than now, though the wall clock was set back before a restart', (t) => {
  const pending = new PendingRows();
  pending.fold(row(1, 1), 5000);
  const restored = new PendingRows();
  restored.restore(pending.copySlots(0, pending.slotEnd), 400);
  t.is(restored.oldestSince, 400);
});

test('seconds beyond 2^31 are kept', (t) => {
  const pending = new PendingRows();
  pending.fold(row(1, 1), 0xf000_0000);
  t.is(pending.oldestSince, 0xf000_0000);
});

test('of a key that a snapshot holds twice, the later value counts', (t) => {
  const pending = new PendingRows();
  pending.restore(concat([row(1, 1), row(2, 1), row(1, 2)]));
  t.is(pending.keys, 2);
  t.is(pending.waiting, 2);
  t.deepEqual(
    [...new RowBatch(pending.copySlots(0, pending.slotEnd))].map(({ succ }) => succ),
    [2, 1],
  );
});

test('rows are confirmed as well after 2^30 chunks as after the first', (t) => {
  const pending = new PendingRows({ firstChunk: 0x3fff_ffff - 3 });
  const ids = new Set<number>();
  for (let round = 0; round < 8; round++) {
    pending.fold(concat([row(1, round), row(2, round)]), 1);
    const first = pending.take(Int32Array.of(0))!;
    const second = pending.take(Int32Array.of(1))!;
    pending.fold(row(1, 100), 2);
    t.is(pending.unchangedKeys([first]).length, 0);
    t.is(pending.confirm(pending.unchangedKeys([second]), 1), 1);
    const third = pending.take(Int32Array.of(0))!;
    t.is(pending.confirm(pending.unchangedKeys([third]), 0), 1);
    t.is(pending.held, 0);
    for (const { id } of [first, second, third]) ids.add(id);
    t.true([first, second, third].every(({ id }) => id > 0));
  }
  t.is(ids.size, 24);
});

test('a key confirmed that is not pending is no harm', (t) => {
  const pending = new PendingRows();
  pending.fold(row(1, 1), 1);
  t.is(pending.confirm(row(2, 1).subarray(0, WORDS_PER_KEY), 0), 0);
  t.is(pending.confirm(row(1, 1).subarray(0, WORDS_PER_KEY), 0), 1);
  t.is(pending.waiting, 0);
});

/** Keys 1 … `keys`, stored at `nowMs` with values that do not say overload, and confirmed. */
function storeAll(pending: PendingRows, keys: number, nowMs: number): void {
  pending.fold(concat(Array.from({ length: keys }, (_, key) => row(key + 1, 1))), 1);
  const pass = pending.pass();
  while (!pass.order());
  const chunk = pass.next(keys)!;
  pending.stored(chunk, nowMs);
  pending.confirm(pending.unchangedKeys([chunk]), 0);
}

test('a key that was just stored rests with its newest value until its time has come; a new key does not', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 1000 });
  storeAll(pending, 2, 50);
  t.is(pending.keys, 0);
  pending.fold(concat([row(1, 2), row(1, 3), row(9, 1)]), 7);
  t.is(pending.keys, 2);
  t.is(pending.oldestSince, 7);
  t.deepEqual(
    [...pending.take(Int32Array.of(0, 1, 2))!.rows].map(({ ip }) => ip),
    [-9],
  );
  t.is(pending.restsUntilMs, 150);
  pending.endRests(149);
  t.is(pending.waiting, 0);
  pending.endRests(150);
  t.is(pending.waiting, 1);
  t.deepEqual(
    [...pending.take(Int32Array.of(0, 1, 2))!.rows].map(({ succ }) => succ),
    [3],
  );
});

test('a change of overload does not rest, whether the last value is stored, being stored, or rests', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 1000 });
  storeAll(pending, 2, 0);
  pending.fold(row(1, 4), 1);
  t.is(pending.waiting, 1, 'stored');
  pending.fold(row(2, 2), 1);
  t.is(pending.waiting, 1);
  pending.fold(row(2, 8), 1);
  t.is(pending.waiting, 2, 'resting');
  const chunk = pending.take(Int32Array.of(0, 1))!;
  pending.fold(concat([row(1, 5), row(2, 12)]), 2);
  pending.stored(chunk, 10);
  t.is(pending.waiting, 1, 'being stored');
  t.is(pending.take(Int32Array.of(0, 1))!.rows.at(0).succ, 5);
});

test('a key whose value the store refused does not rest: its next value is tried at once', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 1000 });
  pending.fold(row(1, 1), 1);
  const chunk = pending.take(Int32Array.of(0))!;
  pending.refused(chunk);
  pending.confirm(pending.unchangedKeys([chunk]), 0);
  pending.fold(row(1, 2), 2);
  t.is(pending.waiting, 1);
});

test('a snapshot, a new key and the bound on keys see nothing of keys that are stored and remembered', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 1000 });
  storeAll(pending, 3, 0);
  t.is(pending.copySlots(0, pending.slotEnd).length, 0);
  t.is(pending.bytes, 0);
  t.is(pending.held, 0);
  t.is(pending.oldestSince, undefined);
  t.false(pending.has(row(1, 0), 0));
  t.is(newKeys(pending, concat([row(1, 5), row(2, 5), row(7, 5)])), 3);
  t.is(pending.remembered, 3);
});

test('a new key takes its room once, however often it was reported meanwhile', (t) => {
  const pending = new PendingRows();
  pending.fold(row(1, 1), 1);
  t.is(newKeys(pending, concat([row(1, 2), row(2, 1), row(2, 2), row(3, 1), row(2, 3)])), 2);
});

test('beyond their bound the oldest rests are cut short: what waits goes on, what is stored is forgotten', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 3 });
  storeAll(pending, 3, 0);
  pending.fold(row(1, 2), 1);
  pending.fold(row(8, 1), 1);
  const chunk = pending.take(Int32Array.of(3))!;
  pending.stored(chunk, 1);
  pending.endRests(2);
  t.is(pending.waiting, 1);
  pending.confirm(pending.unchangedKeys([chunk]), 0);
  t.is(pending.remembered, 1);
});
