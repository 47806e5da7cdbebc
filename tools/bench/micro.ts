/**
 * What the hot loops gain by how they are written, each against the plain way to do the same, in the same run.
 * `npm run --silent build && node dist/tools/bench/micro.js`
 */

import { compareKeys, RowBatch, WORDS_PER_ROW } from '../../src/model/row.js';
import { memoisedPartitionOf, partitionOf } from '../../src/partition/hash.js';
import { orderSlots } from '../../src/partition/order.js';
import { RowMap } from '../../src/partition/rowmap.js';
import { UpsertText } from '../../src/store/mysql/upsert.js';
import { RingReader } from '../../src/view/feed/ring.js';
import { ThreadClock } from '../../src/view/feed/thread-clock.js';
import { ViewFeed } from '../../src/view/feed/view-feed.js';
import { median } from './case.js';
import { rowsOf, type Shape } from './rows.js';

const ROUNDS = 9;
const SIGNED = { modid: false, cmdid: false, ip: false, port: false, caller: false };

/** Where results go, so that nothing is optimised away. */
export const results = { sum: 0 };

interface Micro {
  readonly name: string;
  readonly reference: string;
  /** Things done in one call of either. */
  readonly count: number;
  readonly ours: () => void;
  readonly plain: () => void;
}

function packed(shape: Shape, version: number): Int32Array {
  return RowBatch.from(rowsOf(shape, version)).words;
}

/** The same rows in an order that does not repeat. */
function shuffled(words: Int32Array): Int32Array {
  const rows = words.length / WORDS_PER_ROW;
  const to = new Int32Array(words.length);
  // A step that shares no factor with the number of rows comes by each of them.
  for (let index = 0; index < rows; index++) {
    const from = ((index * 7919) % rows) * WORDS_PER_ROW;
    to.set(words.subarray(from, from + WORDS_PER_ROW), index * WORDS_PER_ROW);
  }
  return to;
}

function putAll(map: RowMap, words: Int32Array): void {
  for (let at = 0; at < words.length; at += WORDS_PER_ROW) map.put(words, at);
}

function put(): Micro {
  const words = packed({ agents: 1, services: 1000, hosts: 10 }, 1);
  const [inOrder, inAnyOrder] = [new RowMap(), new RowMap()];
  // Two orders in turn, so that the last one never tells the next.
  const orders = [words, shuffled(words)];
  let turn = 0;
  return {
    name: 'a row is put where the last report left it',
    reference: 'by its hash',
    count: words.length / WORDS_PER_ROW,
    ours: () => putAll(inOrder, words),
    plain: () => putAll(inAnyOrder, orders[turn++ % 2]!),
  };
}

function order(): Micro {
  const words = shuffled(packed({ agents: 10, services: 1250, hosts: 10 }, 1));
  const count = words.length / WORDS_PER_ROW;
  const slots = Int32Array.from({ length: count }, (_, slot) => slot);
  return {
    name: 'slots are ordered by digits gathered in columns',
    reference: 'by comparing rows',
    count,
    ours: () => {
      const steps = orderSlots(() => words, slots.slice());
      while (!steps.next().done);
    },
    plain: () => {
      slots.slice().sort((a, b) => compareKeys(words, a * WORDS_PER_ROW, words, b * WORDS_PER_ROW));
    },
  };
}

function partition(): Micro {
  const services = Array.from({ length: 1000 }, (_, index) => [1 + index, 1 + (index % 7)] as const);
  const memoised = memoisedPartitionOf(4);
  return {
    name: 'the partition of a service is remembered',
    reference: 'murmur3',
    count: services.length,
    ours: () => {
      for (const [modid, cmdid] of services) results.sum += memoised(modid, cmdid);
    },
    plain: () => {
      for (const [modid, cmdid] of services) results.sum += partitionOf(modid, cmdid, 4);
    },
  };
}

function statement(): Micro {
  const words = packed({ agents: 1, services: 100, hosts: 10 }, 1);
  const text = new UpsertText(SIGNED);
  return {
    name: 'a statement is written as bytes',
    reference: 'strings, joined',
    count: words.length / WORDS_PER_ROW,
    ours: () => {
      results.sum += Buffer.from(text.statement(words)).length;
    },
    plain: () => {
      const rows: string[] = [];
      for (let at = 0; at < words.length; at += WORDS_PER_ROW)
        rows.push(`(${words.subarray(at, at + 8).join(',')},'${words[at + 8]! & 1}')`);
      results.sum += Buffer.from(`INSERT … ${rows.join(',')} …`).length;
    },
  };
}

/** All that the live view takes of the main thread a row. */
function feed(): Micro {
  const words = packed({ agents: 1, services: 10, hosts: 10 }, 1);
  const view = new ViewFeed(new ThreadClock());
  const { ring } = view.attach();
  const reader = new RingReader(ring);
  const heap: Int32Array[] = [];
  let batches = 0;
  return {
    name: 'a row is handed to the live view, 100 a batch',
    reference: 'a copy on the heap',
    count: words.length / WORDS_PER_ROW,
    ours: () => {
      view.journaled(0, words);
      // Its thread does that, before the ring is full; it costs little here, as nothing is made of it.
      if (++batches % 1000 === 0) reader.read(() => {}, Number.POSITIVE_INFINITY);
    },
    plain: () => {
      heap[batches++ % 1000] = words.slice();
    },
  };
}

/** Nanoseconds for each of the things one call does. */
function nanoseconds(call: () => void, count: number): number {
  const began = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  while (elapsedMs < 30) {
    call();
    calls++;
    elapsedMs = performance.now() - began;
  }
  return (elapsedMs * 1e6) / (calls * count);
}

for (const { name, reference, count, ours, plain } of [put(), order(), partition(), statement(), feed()]) {
  nanoseconds(ours, count);
  nanoseconds(plain, count);
  const rounds = Array.from({ length: ROUNDS }, () => [nanoseconds(ours, count), nanoseconds(plain, count)]);
  const [first, second] = [0, 1].map((side) => median(rounds.map((round) => round[side]!)));
  const ratio = median(rounds.map(([a = 0, b = 0]) => b / a));
  process.stdout.write(
    `${name}: ${first!.toFixed(1)} ns; ${reference}: ${second!.toFixed(1)} ns; ${ratio.toFixed(1)} times as long\n`,
  );
}
