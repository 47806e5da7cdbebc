import * as lmdb from 'lmdb';

/** An array of numbers, as lmdb stores it for a key. */
export function decodeKey(key: Uint8Array): readonly number[] {
  // Exported, and not in the types of lmdb.
  const { bufferToKeyValue } = lmdb as unknown as { bufferToKeyValue(key: Uint8Array): number[] };
  return bufferToKeyValue(key);
}
