import type { SettledChunk } from './checkpoint.js';

/**
 * A checkpoint waits this long for a batch to be journaled with: a commit of its own for each statement would take more
 * than the statement. Nothing depends on it but how much is sent again after a crash.
 */
const DELAY_MS = 50;
/** It does not wait beyond so many chunks: half of what `FlushLoop` goes on without one. */
const MAX_CHUNKS = 16;

/** Chunks that are stored or refused, and in no checkpoint yet. */
export class Unchecked {
  readonly #maxRows: number;
  readonly #onDue: () => void;
  #chunks: SettledChunk[] = [];
  #rows = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEndedWait = false;

  /** `onDue`: a checkpoint is to be made of them, at the latest when they have `maxRows` rows. */
  constructor(maxRows: number, onDue: () => void) {
    this.#maxRows = maxRows;
    this.#onDue = onDue;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(settled: SettledChunk): void {
    this.#chunks.push(settled);
    this.#rows += settled.chunk.rows.length;
    if (this.#hasEndedWait || this.#chunks.length >= MAX_CHUNKS || this.#rows >= this.#maxRows) this.#onDue();
    else this.#timer ??= setTimeout(this.#onDue, DELAY_MS);
  }

  /** Gives all of them to a checkpoint. */
  take(): readonly SettledChunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#rows = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return chunks;
  }

  /** From now on no checkpoint waits. */
  endWait(): void {
    this.#hasEndedWait = true;
    if (!this.isEmpty) this.#onDue();
  }
}
