import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { open } from 'lmdb';
import type { SnapshotSource } from '../../src/journal/contract.js';
import type { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import type { LmdbPartition } from '../../src/journal/lmdb/partition.js';
import { encodePiece, encodeRecord, ROWS_PER_PIECE } from '../../src/journal/record.js';
import { WORDS_PER_KEY, WORDS_PER_ROW } from '../../src/model/row.js';
import type { Chunk } from '../../src/partition/chunk.js';
import type { PendingRows } from '../../src/partition/pending.js';
import { contentOf, keyOf, pack, randomOf } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

/** Enough keys for three pieces of a snapshot. */
const KEYS = 2 * ROWS_PER_PIECE + 500;
const never = () => false;
/** A record of one row, and a piece of some. */
const RECORD_BYTES = encodeRecord(entryOf(1, pack({})).record).length;
const pieceBytes = (rows: number) => encodePiece(new Int32Array(rows * WORDS_PER_ROW)).length;

/**
 * A writer of one partition in front of a real journal, beside a plain map that says what must be pending. Its
 * pending rows change only by records that are appended.
 */
class Writer {
  readonly #t: ExecutionContext;
  readonly #dir: string;
  readonly #random: (bound: number) => number;
  readonly #model = new Map<string, string>();
  #journal!: LmdbJournal;
  #partition!: LmdbPartition;
  #pending!: PendingRows;
  #sequence = 0;
  #batchId = 0;
  #value = 0;
  /** Sent and stored, not confirmed: with the model's values of that moment. */
  #chunks: { readonly chunk: Chunk; readonly content: Map<string, string> }[] = [];
  /** Appends that nobody has waited for yet. */
  #appends: Promise<void>[] = [];
  #base = 0;

  constructor(t: ExecutionContext, dir: string, seed: number) {
    this.#t = t;
    this.#dir = dir;
    this.#random = randomOf(seed);
  }

  /** Opens the journal (again) and compares all that it says with the model. */
  async open(): Promise<void> {
    await this.close();
    this.#journal = openLmdb({ dir: this.#dir, writers: 1 });
    this.#partition = this.#journal.partition(0);
    const { pending, base, last, batchId } = await replay(this.#partition);
    this.#t.is(last, this.#sequence);
    this.#t.is(batchId, this.#batchId);
    this.#t.is(base, this.#base);
    this.#t.is(this.#partition.base, base);
    this.#t.is(this.#partition.sinceSnapshot.events, last - base);
    this.#t.deepEqual(
      new Map([...contentOf(pending.copySlots(0, pending.slotEnd))].sort()),
      new Map([...this.#model].sort()),
    );
    this.#pending = pending;
    this.#chunks = [];
  }

  async close(): Promise<void> {
    await Promise.all(this.#appends);
    this.#appends = [];
    await this.#journal?.close();
  }

  /** A record with `rows` rows of keys anywhere, or of a narrow range, that confirms what was sent, if `confirm`. */
  append(rows: number, { confirm = false, spread = KEYS } = {}): void {
    const from = this.#random(KEYS);
    const batch = new Int32Array(rows * WORDS_PER_ROW);
    for (let index = 0; index < rows; index++) {
      const key = spread === 1 ? index : (from + this.#random(spread)) % KEYS;
      batch.set(pack({ modid: key, ip: -key, succ: ++this.#value }), index * WORDS_PER_ROW);
    }
    const chunks = confirm ? this.#chunks : [];
    if (confirm) this.#chunks = [];
    const confirmed = Int32Array.from(
      chunks.flatMap(({ chunk }) => [...this.#pending.unchangedKeys([chunk])]),
    );
    const sent = chunks.reduce((sum, { chunk }) => sum + chunk.rows.length, 0);
    const superseded = sent - confirmed.length / WORDS_PER_KEY;
    if (rows > 0) this.#batchId++;
    const entry = entryOf(rows > 0 ? this.#batchId : 0, batch, { confirmed, superseded });
    this.#appends.push(this.#partition.append(++this.#sequence, entry));
    this.#pending.confirm(confirmed, superseded);
    this.#pending.fold(batch, 5);
    for (const { content } of chunks)
      for (const [key, value] of content) if (this.#model.get(key) === value) this.#model.delete(key);
    for (const [key, value] of contentOf(batch)) this.#model.set(key, value);
  }

  /** Sends a chunk to a store that takes it. */
  send(rows: number): void {
    const pass = this.#pending.pass();
    while (!pass.order());
    // From anywhere in the pass.
    for (let skip = this.#random(3); skip > 0; skip--) {
      const skipped = pass.next(ROWS_PER_PIECE / 2);
      if (skipped) this.#pending.release(skipped);
    }
    const chunk = pass.next(rows);
    if (chunk) this.#chunks.push({ chunk, content: contentOf(chunk.rows.words) });
  }

  /** Takes a snapshot while `meddle` changes rows between its pieces. Given up after `pieces` pieces, if that many. */
  async snapshot(meddle: () => void, pieces = Number.POSITIVE_INFINITY): Promise<void> {
    await Promise.all(this.#appends);
    const pending = this.#pending;
    const source: SnapshotSource = {
      get slotEnd() {
        return pending.slotEnd;
      },
      copySlots: (from, to) => {
        meddle();
        const rows = pending.copySlots(from, to);
        meddle();
        return rows;
      },
    };
    const sequence = this.#sequence;
    let asked = 0;
    const published = await this.#partition.snapshot(
      sequence,
      this.#batchId,
      source,
      () => ++asked >= pieces,
    );
    await Promise.all(this.#appends);
    if (published) this.#base = sequence;
    this.#t.is(published, asked < pieces);
    this.#t.is(this.#partition.base, this.#base);
    this.#t.is(this.#partition.sinceSnapshot.events, this.#sequence - this.#base);
  }

  meddler(): () => void {
    return () => {
      if (this.#random(3) === 0) this.send(1 + this.#random(1500));
      if (this.#random(3) === 0)
        this.append(this.#random(300), { confirm: this.#random(2) === 0, spread: 800 });
    };
  }
}

const step = fc.tuple(
  fc.constantFrom('append', 'append', 'send', 'confirm', 'snapshot', 'busy snapshot', 'given up', 'reopen'),
  fc.nat(1500),
);

test('replay comes to what is pending, whatever records, snapshots and restarts came before', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20, size: 'max' }), fc.integer(), async (steps, seed) => {
      const writer = new Writer(t, tempDir(t), seed);
      await writer.open();
      // All keys to begin with, in order, so that a snapshot has several pieces.
      writer.append(KEYS, { spread: 1 });
      for (const [kind, number] of steps) {
        if (kind === 'append') writer.append(number, { confirm: number % 2 === 0 });
        else if (kind === 'send') writer.send(number + 1);
        else if (kind === 'confirm') writer.append(0, { confirm: true });
        else if (kind === 'snapshot') await writer.snapshot(() => {});
        else if (kind === 'busy snapshot') await writer.snapshot(writer.meddler());
        else if (kind === 'given up') await writer.snapshot(writer.meddler(), 1 + (number % 2));
        else await writer.open();
      }
      await writer.open();
      await writer.close();
    }),
    { numRuns: 40 },
  );
});

/** Looks at the keys a table holds, from outside. */
async function keysIn(dir: string, name: string): Promise<number[][]> {
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  const keys = [...environment.openDB({ name, encoding: 'binary' }).getKeys()] as unknown as number[][];
  await environment.close();
  return keys;
}

async function withPartition(dir: string, use: (partition: LmdbPartition) => Promise<void>): Promise<void> {
  const journal = openLmdb({ dir, writers: 2 });
  await use(journal.partition(1));
  await journal.close();
}

const numbered = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);

test('a snapshot frees the records it covers, however many, and keeps those behind it', async (t) => {
  const dir = tempDir(t);
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    const append = async (sequence: number) => {
      const entry = entryOf(sequence, pack({ modid: sequence % 10, succ: sequence }));
      await partition.append(sequence, entry);
      if (sequence <= 2400) pending.fold(entry.record.rows, 5);
    };
    await Promise.all(numbered(2500).map(append));
    t.is(partition.sinceSnapshot.events, 2500);
    t.true(await partition.snapshot(2400, 2400, pending, never));
    t.deepEqual(partition.sinceSnapshot, { events: 100, bytes: 100 * RECORD_BYTES });
    t.is(partition.bytes, 100 * RECORD_BYTES + pieceBytes(10));
  });
  t.deepEqual(
    await keysIn(dir, 'events'),
    numbered(100, 2401).map((sequence) => [1, 1, sequence]),
  );
  await withPartition(dir, async (partition) => {
    const { base, last, batchId, pending } = await replay(partition);
    t.deepEqual([base, last, batchId, pending.keys], [2400, 2500, 2500, 10]);
    t.is(partition.bytes, 100 * RECORD_BYTES + pieceBytes(10));
  });
});

test('a snapshot of nothing leaves nothing but the number of the last batch', async (t) => {
  const dir = tempDir(t);
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    const rows = pack({ modid: 1 });
    await partition.append(1, entryOf(41, rows));
    await partition.append(2, entryOf(0, new Int32Array(0), { confirmed: rows.subarray(0, WORDS_PER_KEY) }));
    t.true(await partition.snapshot(2, 41, pending, never));
    t.is(partition.bytes, 0);
  });
  t.deepEqual(await keysIn(dir, 'events'), []);
  t.deepEqual(await keysIn(dir, 'snapshots'), []);
  await withPartition(dir, async (partition) => {
    const { base, last, batchId, pending } = await replay(partition);
    t.deepEqual([base, last, batchId, pending.keys], [2, 2, 41, 0]);
    // Sequence numbers go on from there.
    await partition.append(3, entryOf(42, pack({ modid: 2 })));
    t.is((await replay(partition)).last, 3);
  });
});

test('snapshots leave no pieces of older ones, nor of those that were given up, behind', async (t) => {
  const dir = tempDir(t);
  const rows = pack(...numbered(KEYS).map((modid) => ({ modid })));
  const piecesOf = (sequence: number, pieces: number) =>
    numbered(pieces, 0).map((piece) => [1, 1, sequence, piece]);
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    await partition.append(1, entryOf(1, rows));
    pending.fold(rows, 5);
    t.true(await partition.snapshot(1, 1, pending, never));
    await partition.append(2, entryOf(2, pack({ modid: 1 })));
    t.true(await partition.snapshot(2, 2, pending, never));
  });
  t.deepEqual(await keysIn(dir, 'snapshots'), piecesOf(2, 3));
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    await partition.append(3, entryOf(3, pack({ modid: 1 })));
    let asked = 0;
    t.false(await partition.snapshot(3, 3, pending, () => ++asked === 3));
  });
  t.deepEqual(await keysIn(dir, 'snapshots'), [...piecesOf(2, 3), ...piecesOf(3, 2)]);
  await withPartition(dir, async (partition) => {
    t.is((await replay(partition)).last, 3);
  });
  t.deepEqual(await keysIn(dir, 'snapshots'), piecesOf(2, 3));
});

test('records whose removal a kill cut off are neither replayed nor counted, and go', async (t) => {
  const dir = tempDir(t);
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    for (const sequence of [1, 2, 3])
      await partition.append(sequence, entryOf(sequence, pack({ modid: sequence })));
    await partition.snapshot(2, 2, pending, never);
  });
  // As a kill between two commits of a long removal leaves them.
  const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
  const events = environment.openDB<Uint8Array, number[]>({ name: 'events', encoding: 'binary' });
  for (const sequence of [1, 2])
    await events.put([1, 1, sequence], encodeRecord(entryOf(sequence, pack({ modid: 99 })).record));
  await environment.close();
  await withPartition(dir, async (partition) => {
    const { pending, records } = await replay(partition);
    t.deepEqual(
      records.map(({ sequence }) => sequence),
      [3],
    );
    t.deepEqual(partition.sinceSnapshot, { events: 1, bytes: RECORD_BYTES });
    t.true(await partition.snapshot(3, 3, pending, never));
    t.deepEqual(partition.sinceSnapshot, { events: 0, bytes: 0 });
  });
  t.deepEqual(await keysIn(dir, 'events'), []);
});

test('a snapshot of one partition leaves the others alone', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 3 });
  const partitions = [0, 1, 2].map((index) => journal.partition(index));
  for (const [index, partition] of partitions.entries())
    for (const sequence of [1, 2, 3])
      await partition.append(sequence, entryOf(sequence, pack({ modid: index })));
  const { pending } = await replay(partitions[1]!);
  await partitions[1]!.snapshot(3, 3, pending, never);
  for (const [index, partition] of partitions.entries()) {
    const { records, pending: rows } = await replay(partition);
    t.is(records.length, index === 1 ? 0 : 3);
    t.is(keyOf(rows.copySlots(0, 1)), keyOf(pack({ modid: index })));
  }
  await journal.close();
});

test('a snapshot at the sequence of a published one leaves that one as it is, cut off or not', async (t) => {
  const dir = tempDir(t);
  const rows = pack(...numbered(KEYS).map((modid) => ({ modid })));
  await withPartition(dir, async (partition) => {
    const { pending } = await replay(partition);
    await partition.append(1, entryOf(1, rows));
    pending.fold(rows, 5);
    t.true(await partition.snapshot(1, 1, pending, never));
    // Rows that stand in other slots would be written over its pieces.
    const others = { slotEnd: KEYS, copySlots: () => pack({ modid: 1 }) };
    let asked = 0;
    await partition.snapshot(1, 1, others, () => ++asked === 2);
    await partition.snapshot(1, 1, others, never);
  });
  await withPartition(dir, async (partition) => {
    t.is((await replay(partition)).pending.keys, KEYS);
  });
});
