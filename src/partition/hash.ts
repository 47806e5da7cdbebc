import murmurHash3 from 'murmurhash3js-revisited';

const key = new Uint8Array(8);
const view = new DataView(key.buffer);

/**
 * The partition of a service: murmur3 (x86, 32 bits, seed 0) of modid and cmdid as int32 little-endian, unsigned,
 * modulo `partitions`. All reports of a service, from whichever agent, meet in one partition, which keeps them in
 * order. Part of the outside: a change would move rows between partitions of existing journals.
 */
export function partitionOf(modid: number, cmdid: number, partitions: number): number {
  view.setInt32(0, modid, true);
  view.setInt32(4, cmdid, true);
  return murmurHash3.x86.hash32(key, 0) % partitions;
}

/** Services remembered; a power of two. */
const MEMO_ENTRIES = 4096;
const WORDS_PER_ENTRY = 3;

/**
 * `partitionOf` for a stream of reports, in which the same services come again and again: remembers some thousand of
 * them, each in the one place where it may stand. Half the time of hashing, or less (`tools/bench/micro.ts`).
 */
export function memoisedPartitionOf(partitions: number): (modid: number, cmdid: number) => number {
  /** modid, cmdid, partition + 1; 0 = nothing stands here. */
  const memo = new Int32Array(MEMO_ENTRIES * WORDS_PER_ENTRY);
  return (modid, cmdid) => {
    const mixed = Math.imul(Math.imul(modid, 0x9e3779b1) ^ cmdid, 0x85ebca6b);
    const at = ((mixed ^ (mixed >>> 15)) & (MEMO_ENTRIES - 1)) * WORDS_PER_ENTRY;
    if (memo[at + 2]! > 0 && memo[at] === modid && memo[at + 1] === cmdid) return memo[at + 2]! - 1;
    const partition = partitionOf(modid, cmdid, partitions);
    memo[at] = modid;
    memo[at + 1] = cmdid;
    memo[at + 2] = partition + 1;
    return partition;
  };
}
