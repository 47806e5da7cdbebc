import { FrameDecoder, type FrameSink, HEADER_BYTES, MAX_BODY_BYTES } from './frame.js';
import { findFrame, isHeader } from './resync.js';

/** A frame that was cut, a frame in front of which it was, and as much again: then nobody finds anything any more. */
const MOST_SKIPPED = 3 * (HEADER_BYTES + MAX_BODY_BYTES);

const NOTHING = Buffer.alloc(0);

/** No frame was found where one must be: this stream cannot be followed. */
export class FrameLost extends Error {
  constructor(skipped: number) {
    super(`no frame begins in ${skipped} bytes of a stream that was read on in its middle`);
    this.name = 'FrameLost';
  }
}

/**
 * Decodes a stream that another process has read up to an unknown byte: looks for the next frame, and goes on from
 * there as `FrameDecoder` does.
 */
export class ResumedDecoder {
  readonly #maxBodyBytes: number;
  readonly #decoder: FrameDecoder;
  readonly #onFound: (skippedBytes: number) => void;
  #seen = NOTHING;
  #skipped: number;
  #isSearching = true;

  /**
   * `onFound`: with the bytes that lay before the frame, as soon as one is found; `skippedBytes`: those of them in which
   * another process has looked for it.
   */
  constructor(maxBodyBytes: number, onFound: (skippedBytes: number) => void, skippedBytes = 0) {
    this.#maxBodyBytes = maxBodyBytes;
    this.#skipped = skippedBytes;
    this.#decoder = new FrameDecoder(maxBodyBytes);
    this.#onFound = onFound;
  }

  /** Whether the next frame is still looked for. */
  get isSearching(): boolean {
    return this.#isSearching;
  }

  /** Bytes in which no frame was found so far. */
  get skippedBytes(): number {
    return this.#skipped;
  }

  /** While it searches nothing is known to be a frame: 0. */
  get incompleteBytes(): number {
    return this.#isSearching ? 0 : this.#decoder.incompleteBytes;
  }

  rest(): Buffer {
    return this.#isSearching ? Buffer.from(this.#seen) : this.#decoder.rest();
  }

  /** As `FrameDecoder.push`; throws FrameLost, too. */
  push(chunk: Uint8Array, sink: FrameSink): void {
    if (!this.#isSearching) {
      this.#decoder.push(chunk, sink);
      return;
    }
    const seen = Buffer.concat([this.#seen, chunk]);
    // Most often the process before ended between two frames; such a one is taken as any other peer's.
    const isAtFrame = this.#skipped === 0 && isHeader(seen, this.#maxBodyBytes);
    const found = isAtFrame ? ({ kind: 'frame', at: 0 } as const) : findFrame(seen, this.#maxBodyBytes);
    const upTo = found.kind === 'frame' ? found.at : found.keep;
    this.#skipped += upTo;
    if (found.kind === 'frame') {
      this.#isSearching = false;
      this.#seen = NOTHING;
      this.#onFound(this.#skipped);
      this.#decoder.push(seen.subarray(upTo), sink);
      return;
    }
    this.#seen = Buffer.from(seen.subarray(upTo));
    if (this.#skipped > MOST_SKIPPED) throw new FrameLost(this.#skipped);
  }
}
