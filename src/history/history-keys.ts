const SIGN_BIT = 0x8000_0000;
const WORD = 0x1_0000_0000;

/** A key that begins with a time: bytes sort as (number, words) do. */
export function timeKey(number: number, ...words: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(4 + 4 * words.length);
  key.writeUInt32BE(Math.min(Math.max(0, number), WORD - 1));
  for (const [index, word] of words.entries()) key.writeUInt32BE((word ^ SIGN_BIT) >>> 0, 4 + 4 * index);
  return key;
}

/** The number a key begins with. */
export function timeOf(key: Buffer): number {
  return key.readUInt32BE();
}

export function idKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeId(key, 0, id);
  return key;
}

export function idOf(key: Buffer): number {
  return readId(key, 0);
}

/** Of an incident that has ended. */
export function endedKey(endedS: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeUInt32BE(Math.min(Math.max(0, endedS), WORD - 1));
  writeId(key, 4, id);
  return key;
}

export function idOfEnded(key: Buffer): number {
  return readId(key, 4);
}

function writeId(key: Buffer, at: number, id: number): void {
  key.writeUInt32BE(Math.floor(id / WORD), at);
  key.writeUInt32BE(id % WORD, at + 4);
}

function readId(key: Buffer, at: number): number {
  return key.readUInt32BE(at) * WORD + key.readUInt32BE(at + 4);
}
