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
