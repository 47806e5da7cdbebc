/**
 * Bytes ↔ frames. A connection is a stream of frames, nothing before, between or after them:
 *
 *     byte 0        4              8                    8 + length
 *          +--------+--------------+--------------------+
 *          |   id   |    length    |        body        |
 *          +--------+--------------+--------------------+
 *           int32 LE    int32 LE     one protobuf message
 *                     0 … 65527      (proto/lars.proto)
 *
 * TCP cuts this stream anywhere. Complete frames are handed on where they lie in the chunk; only the remainder of
 * a frame that the chunk cuts off is copied, and memory grows with what arrived, never with what a header claims.
 */
export const HEADER_BYTES = 8;
/** Largest body of the protocol: a frame never exceeds 65,535 bytes. */
export const MAX_BODY_BYTES = 65527;

/** The stream cannot be followed any further: its next header claims an impossible body. */
export class FrameError extends Error {
  readonly code = 'FRAME_LENGTH';
  /** What the header claimed, as int32. */
  readonly claimedBytes: number;

  constructor(claimedBytes: number, maxBodyBytes: number) {
    super(`a frame header claims a body of ${claimedBytes} bytes, allowed are 0 to ${maxBodyBytes}`);
    this.name = 'FrameError';
    this.claimedBytes = claimedBytes;
  }
}

/** Called for each frame; the body is `bytes[start … end)`, valid only during the call. */
export type FrameSink = (id: number, bytes: Uint8Array, start: number, end: number) => void;

const NOTHING = Buffer.alloc(0);

/** Follows one stream, and finds its frames however it is cut. */
export class FrameDecoder {
  readonly #maxBodyBytes: number;
  /** Start of a frame whose end has not arrived; `#restBytes` of it are filled. */
  #rest: Buffer = NOTHING;
  #restBytes = 0;

  /** `maxBodyBytes`: 0 … 65527; a longer body is a FrameError. */
  constructor(maxBodyBytes = MAX_BODY_BYTES) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Bytes that wait for the rest of their frame; 0 between frames. */
  get incompleteBytes(): number {
    return this.#restBytes;
  }

  /** A copy of the bytes that wait: another decoder goes on with them. */
  rest(): Buffer {
    return Buffer.from(this.#rest.subarray(0, this.#restBytes));
  }

  /**
   * Takes the next bytes of the stream, in pieces of any size, and calls `sink` for each frame they complete.
   * Throws FrameError at a bad header; frames before it were delivered, and the decoder is of no further use.
   * An error thrown by `sink` passes through and leaves the rest of the chunk undelivered.
   */
  push(chunk: Uint8Array, sink: FrameSink): void {
    let at = this.#restBytes > 0 ? this.#complete(chunk, sink) : 0;
    if (at < 0) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (chunk.length - at >= HEADER_BYTES) {
      const length = this.#checked(view.getInt32(at + 4, true));
      const start = at + HEADER_BYTES;
      const end = start + length;
      if (end > chunk.length) break;
      sink(view.getInt32(at, true), chunk, start, end);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length);
  }

  /** Completes the frame begun by earlier chunks. Returns where the next frame starts, or -1 when it needs more. */
  #complete(chunk: Uint8Array, sink: FrameSink): number {
    let at = 0;
    if (this.#restBytes < HEADER_BYTES) {
      at = Math.min(HEADER_BYTES - this.#restBytes, chunk.length);
      this.#keep(chunk, 0, at);
      if (this.#restBytes < HEADER_BYTES) return -1;
    }
    const frameBytes = HEADER_BYTES + this.#checked(this.#rest.readInt32LE(4));
    const upTo = Math.min(chunk.length, at + frameBytes - this.#restBytes);
    this.#keep(chunk, at, upTo);
    if (this.#restBytes < frameBytes) return -1;
    const frame = this.#rest;
    this.#rest = NOTHING;
    this.#restBytes = 0;
    sink(frame.readInt32LE(0), frame, HEADER_BYTES, frameBytes);
    return upTo;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    const needed = this.#restBytes + to - from;
    if (needed > this.#rest.length) {
      // Doubling keeps a frame that trickles in by single bytes linear in copying.
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#rest.length, 64));
      this.#rest.copy(larger, 0, 0, this.#restBytes);
      this.#rest = larger;
    }
    this.#rest.set(chunk.subarray(from, to), this.#restBytes);
    this.#restBytes = needed;
  }

  #checked(length: number): number {
    if (length < 0 || length > this.#maxBodyBytes) throw new FrameError(length, this.#maxBodyBytes);
    return length;
  }
}

/** The frame of a body. Throws FrameError when the body is longer than the protocol allows. */
export function encodeFrame(id: number, body: Uint8Array): Buffer {
  if (body.length > MAX_BODY_BYTES) throw new FrameError(body.length, MAX_BODY_BYTES);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeInt32LE(id, 0);
  frame.writeInt32LE(body.length, 4);
  frame.set(body, HEADER_BYTES);
  return frame;
}
