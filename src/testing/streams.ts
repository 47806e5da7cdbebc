import { encodeFrame, HEADER_BYTES, MAX_BODY_BYTES } from '../wire/frame.js';
import { MessageId } from '../wire/messages.js';
import { badBody, mutated, nestedBody, oddBody, plainBody, tagLikeBody } from './bodies.js';
import { Dice } from './dice.js';
import { BAD_BODIES, frameHeader, paddedFrame } from './frames.js';

/** What a piece of a hostile stream is. */
export type PieceKind =
  /** A frame with a report as agents write it. */
  | 'report'
  /** A frame with a report that is good and unusually written. */
  | 'odd report'
  /** A report in a frame of the largest size, or up to four bytes less. */
  | 'largest frame'
  /** A frame of zero bytes: a report of all defaults, without results. */
  | 'empty frame'
  /** A frame of an id that is not that of reports. */
  | 'unknown id'
  /** A frame whose body is certainly no report. */
  | 'bad body'
  /** A frame whose body was damaged; it may still be a report. */
  | 'damaged body'
  /** So many bad bodies in a row that the connection is closed. */
  | 'bad bodies'
  /** A frame whose header claims a few bytes too few or too many: what follows is read at the wrong place. */
  | 'lying length'
  /** A header that claims less than nothing, or more than is allowed: the stream ends there. */
  | 'impossible length'
  /** A header that claims much, with little behind it. */
  | 'large claim'
  /** The beginning of a frame. */
  | 'cut frame'
  /** Bytes of chance. */
  | 'garbage';

/** One piece of a stream. */
export interface StreamPiece {
  readonly kind: PieceKind;
  readonly bytes: Uint8Array;
}

/** A stream of bytes as no well-behaved agent sends it, and where it is cut. */
export interface HostileStream {
  readonly seed: number;
  readonly pieces: readonly StreamPiece[];
  /** All pieces, one after the other. */
  readonly bytes: Uint8Array;
  /** Where TCP cuts it: offsets, ascending, for `splitAt`. */
  readonly cuts: readonly number[];
}

/** What a stream is made of. */
export interface StreamOptions {
  /** Longest stream, in pieces. Default 12. */
  readonly maxPieces?: number;
  /** Whether frames of the largest size are among them, now and then. Default true; they take time. */
  readonly large?: boolean;
}

const IDS = [0, 1, 2, 4, 255, -1, 0x7fffffff, -0x80000000, 0x03000000];
const IMPOSSIBLE_LENGTHS = [-1, -2, -0x80000000, MAX_BODY_BYTES + 1, 65_536, 0x7fffffff, 0x10000000];

/** One letter a share; the good ones outweigh those that end a stream, so that most streams get somewhere. */
const SHARES: readonly (readonly [PieceKind, number])[] = [
  ['report', 30],
  ['odd report', 20],
  ['damaged body', 14],
  ['bad body', 10],
  ['unknown id', 8],
  ['empty frame', 4],
  ['garbage', 3],
  ['cut frame', 3],
  ['lying length', 3],
  ['impossible length', 2],
  ['large claim', 2],
  ['bad bodies', 1],
];
const KINDS: readonly PieceKind[] = SHARES.flatMap(([kind, share]) => Array<PieceKind>(share).fill(kind));

const report = (body: Uint8Array) => encodeFrame(MessageId.reportStatusRequest, body);

function goodBody(dice: Dice): Uint8Array {
  return dice.chance(1, 2) ? plainBody(dice) : oddBody(dice);
}

function damagedBody(dice: Dice): Uint8Array {
  if (dice.chance(1, 10)) return nestedBody(dice);
  return dice.chance(1, 4) ? tagLikeBody(dice) : mutated(dice, goodBody(dice));
}

function lyingFrame(dice: Dice): Uint8Array {
  const frame = report(plainBody(dice));
  const length = frame.length - HEADER_BYTES;
  frame.writeInt32LE(Math.max(0, length + dice.between(-9, 9)), 4);
  return frame;
}

/** A report in a frame of (nearly) the largest size, of very many results or of padding. */
function largestFrame(dice: Dice): Uint8Array {
  const bodyBytes = MAX_BODY_BYTES - dice.below(5);
  if (dice.chance(1, 2)) return paddedFrame({ modid: 1, cmdid: 2, caller: 3, ts: 4, results: [] }, bodyBytes);
  // Results of no bytes are rows of all defaults: the most rows a frame can hold.
  const body = new Uint8Array(bodyBytes - (bodyBytes % 2));
  for (let at = 0; at < body.length; at += 2) body[at] = 0x22;
  return report(body);
}

function bytesOf(kind: PieceKind, dice: Dice): Uint8Array {
  switch (kind) {
    case 'report':
      return report(plainBody(dice));
    case 'odd report':
      return report(oddBody(dice));
    case 'largest frame':
      return largestFrame(dice);
    case 'empty frame':
      return report(new Uint8Array(0));
    case 'unknown id':
      return encodeFrame(dice.pick(IDS), dice.chance(1, 2) ? goodBody(dice) : dice.bytes(dice.below(40)));
    case 'bad body':
      return report(badBody(dice));
    case 'damaged body':
      return report(damagedBody(dice));
    case 'bad bodies':
      return Buffer.concat(
        Array.from({ length: dice.between(8, 14) }, () => report(BAD_BODIES['cut varint'])),
      );
    case 'lying length':
      return lyingFrame(dice);
    case 'impossible length':
      return frameHeader(MessageId.reportStatusRequest, dice.pick(IMPOSSIBLE_LENGTHS));
    case 'large claim':
      return Buffer.concat([
        frameHeader(MessageId.reportStatusRequest, MAX_BODY_BYTES - dice.below(20_000)),
        dice.bytes(dice.below(30)),
      ]);
    case 'cut frame': {
      const frame = report(goodBody(dice));
      return frame.subarray(0, dice.below(frame.length));
    }
    case 'garbage':
      return dice.bytes(dice.between(1, 40));
  }
}

/** By single bytes, into a few pieces anywhere, into many small ones, or not at all. */
function cutsOf(dice: Dice, length: number): number[] {
  const cuts: number[] = [];
  switch (dice.below(4)) {
    case 0:
      for (let count = dice.between(1, 6); count > 0; count--) cuts.push(dice.below(length));
      cuts.sort((a, b) => a - b);
      break;
    case 1:
      // Small pieces in the beginning, so that headers are cut, too.
      for (let at = 0; at < Math.min(length, 2000); ) {
        at += dice.between(1, 20);
        cuts.push(at);
      }
      break;
    case 2:
      if (length <= 400) for (let at = 1; at < length; at++) cuts.push(at);
      break;
  }
  return cuts;
}

/**
 * The hostile stream of a seed: valid frames mixed with every malformation there is. The same seed and options give
 * the same stream.
 *
 *     const stream = hostileStream(42);
 *     const expected = expectStream(stream.bytes);
 *     await agent.sendSplit(stream.bytes, stream.cuts);
 */
export function hostileStream(
  seed: number,
  { maxPieces = 12, large = true }: StreamOptions = {},
): HostileStream {
  const dice = new Dice(seed);
  const pieces: StreamPiece[] = [];
  for (let count = dice.between(1, maxPieces); count > 0; count--) {
    const kind = large && dice.chance(1, 2000) ? 'largest frame' : dice.pick(KINDS);
    pieces.push({ kind, bytes: bytesOf(kind, dice) });
  }
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
  return { seed, pieces, bytes, cuts: cutsOf(dice, bytes.length) };
}
