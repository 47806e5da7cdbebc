import { compareKeys, WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';

/** Below this many rows a comparison sort is quicker than counting bytes. */
const SMALL = 512;

/**
 * Orders slots by the primary key of their rows, in place, a step at a time: each `next()` takes time in
 * proportion to the number of slots, so that a caller may let others run in between.
 *
 * Small sets are compared; large ones go through a least-significant-byte radix sort that skips the bytes in
 * which all keys agree, which for real keys is most of them.
 * The rows' keys must not change meanwhile; their values may.
 */
export function* orderSlots(words: () => Int32Array, slots: Int32Array): Generator<void, void, void> {
  if (slots.length <= SMALL) {
    const rows = words();
    slots.sort((a, b) => compareKeys(rows, a * WORDS_PER_ROW, rows, b * WORDS_PER_ROW));
    return;
  }
  const varying = varyingBits(words(), slots);
  yield;
  let from: Int32Array = slots;
  let to: Int32Array = new Int32Array(slots.length);
  for (let word = WORDS_PER_KEY - 1; word >= 0; word--) {
    for (let shift = 0; shift < 32; shift += 8) {
      if (((varying[word]! >>> shift) & 255) === 0) continue;
      countingPass(words(), from, to, word, shift);
      [from, to] = [to, from];
      yield;
    }
  }
  if (from !== slots) slots.set(from);
}

/** For each key word the bits in which at least two of the rows differ. */
function varyingBits(words: Int32Array, slots: Int32Array): Int32Array {
  const varying = new Int32Array(WORDS_PER_KEY);
  const first = slots[0]! * WORDS_PER_ROW;
  for (const slot of slots) {
    const at = slot * WORDS_PER_ROW;
    for (let word = 0; word < WORDS_PER_KEY; word++)
      varying[word]! |= words[at + word]! ^ words[first + word]!;
  }
  return varying;
}

/** One stable pass over the byte at `shift` of key word `word`. */
function countingPass(
  words: Int32Array,
  from: Int32Array,
  to: Int32Array,
  word: number,
  shift: number,
): void {
  // Signed order: the sign bit of the topmost byte counts the other way round.
  const flip = shift === 24 ? 128 : 0;
  const starts = new Int32Array(257);
  for (const slot of from) starts[(((words[slot * WORDS_PER_ROW + word]! >>> shift) & 255) ^ flip) + 1]!++;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
  for (const slot of from) {
    const byte = ((words[slot * WORDS_PER_ROW + word]! >>> shift) & 255) ^ flip;
    to[starts[byte]!++] = slot;
  }
}
