import type { Report } from '../model/report.js';
import { encodeFrame, HEADER_BYTES, MAX_BODY_BYTES } from '../wire/frame.js';
import { encodeReport, MessageId } from '../wire/messages.js';

/**
 * Frames for good and bad input: bytes to give to `HostileAgent.sendBytes` and its like.
 */

/**
 * A frame header alone: it may claim anything, also what no frame can have.
 *
 *     frameHeader(3, -1);         // closes the connection it is sent on
 *     frameHeader(3, 65_527);     // 65,527 bytes are to follow, or not
 *
 * `id` and `bodyBytes` are int32.
 */
export function frameHeader(id: number, bodyBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(id, 0);
  header.writeInt32LE(bodyBytes, 4);
  return header;
}

/** Bodies that are no report, by what is wrong with them. Each makes one `undecodable` frame. */
export const BAD_BODIES = {
  /** A varint that never ends. */
  'endless varint': Uint8Array.of(0x08, ...Array<number>(11).fill(0xff)),
  /** A varint that is cut off. */
  'cut varint': Uint8Array.of(0x08, 0x80),
  /** A result that claims more bytes than its report has. */
  'result over the end': Uint8Array.of(0x22, 0x7f, 0x08, 0x01),
  /** A result whose last field runs over the result's own end. */
  'field over the end of its result': Uint8Array.of(0x22, 0x02, 0x08, 0x80, 0x01),
  /** A field of four bytes of which there are two. */
  'cut fixed32': Uint8Array.of(0x35, 0x01, 0x02),
  /** A group that is never closed. */
  'open group': Uint8Array.of(0x33, 0x08, 0x01),
  /** The end of a group that was never opened. */
  'end of no group': Uint8Array.of(0x34),
  /** Wire types 6 and 7 do not exist. */
  'wire type 7': Uint8Array.of(0x0f, 0x01),
  /** Fields are numbered from 1 on. */
  'field number 0': Uint8Array.of(0x00, 0x01),
} as const;

/** Ways in which a body is no report. */
export type BadBody = keyof typeof BAD_BODIES;

/** A whole frame of message id 3 whose body is no report. */
export function badFrame(kind: BadBody = 'endless varint'): Buffer {
  return encodeFrame(MessageId.reportStatusRequest, BAD_BODIES[kind]);
}

/** Field 15, length-delimited, which nobody knows and everybody skips. */
const PADDING_TAG = 0x7a;
/** Tag, and a length of three bytes. */
const PADDING_HEAD_BYTES = 4;

/**
 * A good report in a frame as large as frames get: what its body lacks of `bodyBytes` (default 65,527) is filled with
 * a field that nobody knows. Throws RangeError when the report leaves no room for that: it takes 4 bytes at least.
 *
 *     await agent.sendBytes(paddedFrame(report)); // 65,535 bytes, stored like any other report
 */
export function paddedFrame(report: Report, bodyBytes = MAX_BODY_BYTES): Buffer {
  const body = encodeReport(report);
  const padding = bodyBytes - body.length - PADDING_HEAD_BYTES;
  if (padding < 0) {
    throw new RangeError(`a report of ${body.length} bytes cannot be padded to ${bodyBytes}`);
  }
  const padded = Buffer.alloc(bodyBytes);
  padded.set(body);
  // Padded with more bytes than a short length needs, which decoders take.
  padded.set(
    [PADDING_TAG, (padding & 127) | 128, ((padding >>> 7) & 127) | 128, padding >>> 14],
    body.length,
  );
  return encodeFrame(MessageId.reportStatusRequest, padded);
}

/**
 * Cuts bytes into pieces that end at `cuts`, in any order; cuts outside are ignored.
 *
 *     splitAt(frame, [1, 8]); // its first byte, the rest of its header, its body
 */
export function splitAt(bytes: Uint8Array, cuts: Iterable<number>): Uint8Array[] {
  const inside = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const cut of [...inside, bytes.length]) {
    if (cut > from) pieces.push(bytes.subarray(from, cut));
    from = cut;
  }
  return pieces;
}
