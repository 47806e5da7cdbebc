import test from 'ava';
import fc from 'fast-check';
import { TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import type { Chunk } from '../../src/partition/chunk.js';
import { PendingRows } from '../../src/partition/pending.js';
import { pack } from '../model/samples.js';

const PEERS = 300;

/** A value of a key by a peer. */
function rowOf(key: number, peer: number, overload: boolean): Int32Array {
  const row = pack({ ip: key, overload });
  row[TAG]! |= peer << 1;
  return row;
}

/** How many keys are pending by whom, counted anew. */
function recount(pending: PendingRows): Map<number, number> {
  const rows = pending.copySlots(0, pending.slotEnd);
  const keys = new Map<number, number>();
  for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
    const peer = rows[at + TAG]! >>> 1;
    keys.set(peer, (keys.get(peer) ?? 0) + 1);
  }
  return keys;
}

const fold = fc.record({
  kind: fc.constant('fold' as const),
  rows: fc.array(fc.tuple(fc.nat(40), fc.nat(PEERS), fc.boolean()), { maxLength: 30 }),
});
const other = fc.record({ kind: fc.constantFrom('take', 'store', 'release', 'confirm', 'rest', 'restore') });

for (const restMs of [0, 100])
  test(`the pending keys of a peer are those whose newest value it sent, whatever happens to them; rests of ${restMs} ms`, (t) => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fold, other), { maxLength: 60 }), (steps) => {
        let pending = new PendingRows({ restMs, maxResting: 20 });
        let chunks: Chunk[] = [];
        let nowMs = 0;
        for (const step of steps) {
          nowMs += 30;
          switch (step.kind) {
            case 'fold':
              if ('rows' in step)
                for (const [key, peer, overload] of step.rows) pending.fold(rowOf(key, peer, overload), 1);
              break;
            case 'take': {
              const pass = pending.pass();
              while (!pass.order());
              const chunk = pass.next(8);
              if (chunk) chunks.push(chunk);
              break;
            }
            case 'store':
              for (const chunk of chunks) pending.stored(chunk, nowMs);
              pending.confirm(pending.unchangedKeys(chunks), superseded(pending, chunks));
              chunks = [];
              break;
            case 'release':
              for (const chunk of chunks) pending.release(chunk);
              chunks = [];
              break;
            case 'rest':
              pending.endRests(nowMs);
              break;
            case 'restore': {
              const rows = pending.copySlots(0, pending.slotEnd);
              pending = new PendingRows({ restMs, maxResting: 20 });
              pending.restore(rows);
              chunks = [];
              break;
            }
          }
          const counted = recount(pending);
          for (let peer = 1; peer <= PEERS; peer++) t.is(pending.keysOf(peer), counted.get(peer) ?? 0);
        }
      }),
      { numRuns: 60 },
    );
  });

test('a key that the store has is nobody’s, also while it is remembered; the next value makes it its sender’s', (t) => {
  const pending = new PendingRows({ restMs: 100, maxResting: 20 });
  const counts = () => [7, 8].map((peer) => pending.keysOf(peer));
  pending.fold(rowOf(1, 7, false), 1);
  pending.fold(rowOf(2, 7, false), 1);
  t.deepEqual(counts(), [2, 0]);
  const pass = pending.pass();
  while (!pass.order());
  const chunk = pass.next(2)!;
  pending.stored(chunk, 0);
  pending.confirm(pending.unchangedKeys([chunk]), 0);
  t.is(pending.remembered, 2);
  t.deepEqual(counts(), [0, 0]);
  pending.fold(rowOf(1, 8, false), 2);
  t.deepEqual(counts(), [0, 1]);
});

/** Values of the chunks that newer ones have replaced. */
function superseded(pending: PendingRows, chunks: readonly Chunk[]): number {
  const sent = chunks.reduce((sum, { slots }) => sum + slots.length, 0);
  return sent - pending.unchangedKeys(chunks).length / 5;
}
