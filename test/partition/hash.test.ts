import test from 'ava';
import fc from 'fast-check';
import { memoisedPartitionOf, partitionOf } from '../../src/partition/hash.js';
import { int32 } from '../model/samples.js';

/** MurmurHash3 x86 32-bit of whole 4-byte blocks, as its author describes it; in 64-bit arithmetic. */
function murmur3(blocks: readonly number[], seed: number): number {
  const word = (value: bigint) => BigInt.asUintN(32, value);
  const rotate = (value: bigint, by: bigint) => word((value << by) | (value >> (32n - by)));
  let hash = word(BigInt(seed));
  for (const block of blocks) {
    const mixed = rotate(word(word(BigInt(block)) * 0xcc9e2d51n), 15n);
    hash ^= word(mixed * 0x1b873593n);
    hash = word(rotate(hash, 13n) * 5n + 0xe6546b64n);
  }
  hash ^= BigInt(blocks.length * 4);
  hash ^= hash >> 16n;
  hash = word(hash * 0x85ebca6bn);
  hash ^= hash >> 13n;
  hash = word(hash * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
}

test('the hash these tests compare with gives the published values', (t) => {
  t.is(murmur3([], 1), 0x514e28b7);
  t.is(murmur3([0x87654321], 0), 0xf55b516b);
  t.is(murmur3([0x87654321], 0x5082edee), 0x2362f9de);
  t.is(murmur3([0], 0), 0x2362f9de);
});

test('a partition is murmur3 over modid and cmdid, little-endian, unsigned, modulo the number of writers', (t) => {
  fc.assert(
    fc.property(int32, int32, fc.integer({ min: 1, max: 1024 }), (modid, cmdid, writers) => {
      t.is(partitionOf(modid, cmdid, writers), murmur3([modid, cmdid], 0) % writers);
    }),
    { numRuns: 1000 },
  );
});

test('services stay in the partitions in which older journals have them', (t) => {
  // modid, cmdid, partition of 4, of 7, of 1,000,003.
  for (const [modid, cmdid, ...partitions] of [
    [0, 0, 0, 1, 666669],
    [1, 1, 2, 6, 778031],
    [1, 2, 2, 6, 112796],
    [2, 1, 3, 1, 622510],
    [-1, 5, 0, 6, 902992],
    [5, -1, 2, 1, 114654],
    [0x7fffffff, -0x80000000, 0, 3, 545526],
    [10001, 1001, 1, 1, 14963],
  ] as const) {
    t.deepEqual(
      [4, 7, 1_000_003].map((writers) => partitionOf(modid, cmdid, writers)),
      partitions,
    );
  }
});

test('with one writer everything is in partition 0', (t) => {
  fc.assert(fc.property(int32, int32, (modid, cmdid) => t.is(partitionOf(modid, cmdid, 1), 0)));
});

test('services spread evenly over the writers', (t) => {
  const counts = [0, 0, 0, 0];
  for (let modid = 0; modid < 100; modid++)
    for (let cmdid = 0; cmdid < 100; cmdid++) counts[partitionOf(modid, cmdid, 4)]!++;
  for (const count of counts) t.true(Math.abs(count - 2500) < 250, counts.join());
});

test('a partition that is remembered is the one that is computed, whichever services came before', (t) => {
  // Small numbers, so that services come again, and more services than are remembered.
  const number = fc.oneof(fc.integer({ min: -3, max: 300 }), int32);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 }), (partitions) => {
      const laneOf = memoisedPartitionOf(partitions);
      const services = fc.sample(fc.tuple(number, number), 10_000);
      for (const [modid, cmdid] of [[0, 0] as const, ...services, ...services])
        if (laneOf(modid, cmdid) !== partitionOf(modid, cmdid, partitions)) return false;
      return true;
    }),
    { numRuns: 5 },
  );
  t.pass();
});
