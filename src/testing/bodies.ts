import { encodeReport } from '../wire/messages.js';
import type { Dice } from './dice.js';
import { BAD_BODIES } from './frames.js';

/**
 * Bodies of reports from dice: as agents write them, as no encoder of ours would and others may (any order, repeated
 * fields, unknown ones, padded varints, groups), and as nobody should.
 */

/** Edges of what 32-bit fields hold. */
const EDGES = [0, 1, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff, 0xc0a80001];

const number = (dice: Dice) => (dice.chance(1, 4) ? dice.pick(EDGES) : dice.below(1000));

/** How many results: mostly few, now and then none or many. */
function resultCount(dice: Dice): number {
  if (dice.chance(1, 10)) return 0;
  return dice.chance(1, 50) ? dice.between(50, 400) : dice.between(1, 4);
}

/** A report as agents write it. */
export function plainBody(dice: Dice): Uint8Array {
  return encodeReport({
    modid: number(dice),
    cmdid: number(dice),
    caller: number(dice),
    ts: number(dice),
    results: Array.from({ length: resultCount(dice) }, () => ({
      ip: number(dice),
      port: number(dice),
      succ: number(dice),
      err: number(dice),
      overload: dice.chance(1, 2),
    })),
  });
}

function putVarint(into: number[], value: number, padding = 0): void {
  let rest = value >>> 0;
  while (rest > 127) {
    into.push((rest & 127) | 128);
    rest >>>= 7;
  }
  if (padding === 0) {
    into.push(rest);
    return;
  }
  into.push(rest | 128);
  for (let byte = 1; byte < padding; byte++) into.push(128);
  into.push(0);
}

/** A varint field, now and then in more bytes than it needs; ten are the most there may be. */
function putScalar(into: number[], dice: Dice, field: number): void {
  putVarint(into, field << 3);
  putVarint(into, number(dice), dice.chance(1, 8) ? dice.between(1, 5) : 0);
}

function putDelimited(into: number[], field: number, content: readonly number[]): void {
  putVarint(into, (field << 3) | 2);
  putVarint(into, content.length);
  for (const byte of content) into.push(byte);
}

/** A field to be skipped: an unknown number, or a known one with a wire type that is not its own. */
function putSkipped(into: number[], dice: Dice, depth = 0): void {
  const field = dice.pick([1, 2, 3, 5, 6, 7, 15, 16, 2047, 0x1fffffff]);
  switch (dice.below(depth < 3 ? 5 : 4)) {
    case 0:
      putVarint(into, dice.pick([6, 7, 99, 2047]) << 3);
      putVarint(into, dice.bits(), dice.below(3));
      break;
    case 1:
      putVarint(into, (field << 3) | 1);
      for (let byte = 0; byte < 8; byte++) into.push(dice.below(256));
      break;
    case 2:
      putDelimited(into, dice.pick([6, 7, 99]), [...dice.bytes(dice.below(9))]);
      break;
    case 3:
      putVarint(into, (field << 3) | 5);
      for (let byte = 0; byte < 4; byte++) into.push(dice.below(256));
      break;
    default:
      putVarint(into, (field << 3) | 3);
      for (let count = dice.below(3); count > 0; count--) putSkipped(into, dice, depth + 1);
      putVarint(into, (field << 3) | 4);
  }
}

/** A report that is good, however unusually it is written. */
export function oddBody(dice: Dice): Uint8Array {
  const body: number[] = [];
  for (let count = dice.below(10); count > 0; count--) {
    if (dice.chance(1, 6)) putSkipped(body, dice);
    else if (dice.chance(1, 2)) putScalar(body, dice, dice.pick([1, 2, 3, 5]));
    else {
      const result: number[] = [];
      for (let fields = dice.below(7); fields > 0; fields--) {
        if (dice.chance(1, 6)) putSkipped(result, dice);
        else putScalar(result, dice, dice.between(1, 5));
      }
      putDelimited(body, 4, result);
    }
  }
  return Uint8Array.from(body);
}

/** A body with some bytes changed, added, taken out, or cut off. It may still be a report. */
export function mutated(dice: Dice, body: Uint8Array): Uint8Array {
  let bytes = [...body];
  for (let count = dice.between(1, 3); count > 0; count--) {
    const at = dice.below(bytes.length + 1);
    switch (dice.below(5)) {
      case 0:
        bytes.splice(at, 0, dice.below(256));
        break;
      case 1:
        bytes.splice(at, 1);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        if (at < bytes.length) bytes[at] = dice.below(256);
        break;
      default:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << dice.below(8));
    }
  }
  return Uint8Array.from(bytes);
}

const TAGS_AND_LENGTHS = [8, 16, 24, 34, 40, 32, 35, 36, 0, 1, 2, 3, 128, 255];

/** Bytes that look a little like tags and lengths. */
export function tagLikeBody(dice: Dice): Uint8Array {
  return Uint8Array.from({ length: dice.below(30) }, () =>
    dice.chance(3, 4) ? dice.pick(TAGS_AND_LENGTHS) : dice.below(256),
  );
}

/** Groups in groups, to about the depth at which decoders reject them, closed or not. */
export function nestedBody(dice: Dice): Uint8Array {
  const depth = dice.between(1, 130);
  const body = [...Array<number>(depth).fill(0x33), ...Array<number>(depth - dice.below(2)).fill(0x34)];
  if (dice.chance(1, 2)) return Uint8Array.from(body);
  const report: number[] = [];
  putDelimited(report, 4, body);
  return Uint8Array.from(report);
}

/** One of the bodies that are certainly no report. */
export function badBody(dice: Dice): Uint8Array {
  return dice.pick(Object.values(BAD_BODIES));
}
