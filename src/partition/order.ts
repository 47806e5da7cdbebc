import { CALLER, CMDID, compareKeys, IP, MODID, PORT, WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';

/** Below this many rows a comparison sort is quicker than counting digits. */
const SMALL = 512;
/** Bits of a digit: its counts fit the processor's first cache. */
const DIGIT_BITS = 11;
const DIGIT_VALUES = 1 << DIGIT_BITS;
/** Rows that are compared with the ones before them in one step. */
const COMPARED_A_STEP = 65_536;

/**
 * Orders slots by the primary key of their rows, in place, a step at a time: each `next()` takes time in
 * proportion to the number of slots, so that a caller may let others run in between.
 *
 * Small sets are compared. Large ones go through a least-significant-digit radix sort: the bits in which keys differ
 * at all, which for real keys are few, are gathered into columns of digits first, because reading a column in any
 * order costs far less than reading rows of 40 bytes in any order, once a digit. A quarter of the time of comparing
 * rows (`tools/bench/micro.ts`).
 * The rows' keys must not change meanwhile; their values may.
 */
export function* orderSlots(words: () => Int32Array, slots: Int32Array): Generator<void, void, void> {
  if (slots.length <= SMALL) {
    const rows = words();
    slots.sort((a, b) => compareKeys(rows, a * WORDS_PER_ROW, rows, b * WORDS_PER_ROW));
    return;
  }
  if (yield* isOrdered(words, slots)) return;
  const digits = digitsOf(varyingBits(words(), slots));
  const column = new Uint16Array(slots.length);
  let from: Uint32Array = new Uint32Array(slots.length);
  let to: Uint32Array = new Uint32Array(slots.length);
  for (let index = 0; index < from.length; index++) from[index] = index;
  for (const digit of digits) {
    yield;
    gather(words(), slots, digit, column);
    yield;
    countingPass(column, from, to);
    [from, to] = [to, from];
  }
  for (let place = 0; place < from.length; place++) to[place] = slots[from[place]!]!;
  slots.set(to);
}

/** What is reported in the order of its keys lies so; elsewhere the first rows tell that it does not. */
function* isOrdered(words: () => Int32Array, slots: Int32Array): Generator<void, boolean, void> {
  for (let from = 1; from < slots.length; from += COMPARED_A_STEP) {
    const rows = words();
    const to = Math.min(from + COMPARED_A_STEP, slots.length);
    for (let index = from; index < to; index++) {
      if (compareKeys(rows, slots[index - 1]! * WORDS_PER_ROW, rows, slots[index]! * WORDS_PER_ROW) > 0)
        return false;
    }
    yield;
  }
  return true;
}

/** A part of a key word that is sorted by at once. */
interface Digit {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** Turns the order of unsigned digits into that of signed words: the sign bit, where the digit holds it. */
  readonly flip: number;
}

/** The digits in which keys differ, least significant first. */
function digitsOf(varying: Int32Array): Digit[] {
  const digits: Digit[] = [];
  for (let word = WORDS_PER_KEY - 1; word >= 0; word--) {
    for (let rest = varying[word]! >>> 0; rest !== 0; ) {
      const shift = 31 - Math.clz32(rest & -rest);
      const width = Math.min(DIGIT_BITS, 32 - shift);
      const mask = (1 << width) - 1;
      digits.push({ word, shift, mask, flip: shift + width === 32 ? 1 << (width - 1) : 0 });
      rest = shift + width === 32 ? 0 : (rest & ~(mask << shift)) >>> 0;
    }
  }
  return digits;
}

/** For each key word the bits in which at least two of the rows differ. Written out: a third of the time of a loop. */
function varyingBits(words: Int32Array, slots: Int32Array): Int32Array {
  const first = slots[0]! * WORDS_PER_ROW;
  const [modid, cmdid, ip] = [words[first + MODID]!, words[first + CMDID]!, words[first + IP]!];
  const [port, caller] = [words[first + PORT]!, words[first + CALLER]!];
  let [modids, cmdids, ips, ports, callers] = [0, 0, 0, 0, 0];
  for (let index = 0; index < slots.length; index++) {
    const at = slots[index]! * WORDS_PER_ROW;
    modids |= words[at + MODID]! ^ modid;
    cmdids |= words[at + CMDID]! ^ cmdid;
    ips |= words[at + IP]! ^ ip;
    ports |= words[at + PORT]! ^ port;
    callers |= words[at + CALLER]! ^ caller;
  }
  return Int32Array.of(modids, cmdids, ips, ports, callers);
}

/** Reads a digit of every row. Slots rise as they are given, so that rows are read as they lie. */
function gather(
  words: Int32Array,
  slots: Int32Array,
  { word, shift, mask, flip }: Digit,
  column: Uint16Array,
): void {
  for (let index = 0; index < slots.length; index++)
    column[index] = ((words[slots[index]! * WORDS_PER_ROW + word]! >>> shift) & mask) ^ flip;
}

/** One stable pass over the indices in `from`, by their digit. */
function countingPass(column: Uint16Array, from: Uint32Array, to: Uint32Array): void {
  const starts = new Uint32Array(DIGIT_VALUES + 1);
  for (let index = 0; index < column.length; index++) starts[column[index]! + 1]!++;
  for (let value = 0; value < DIGIT_VALUES; value++) starts[value + 1]! += starts[value]!;
  for (let place = 0; place < from.length; place++) {
    const index = from[place]!;
    const digit = column[index]!;
    to[starts[digit]!] = index;
    starts[digit]!++;
  }
}
