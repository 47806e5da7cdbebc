/**
 * When rows go on to the writers: at once after a quiet moment, else in groups, at most one about every `groupMs`. A
 * commit of the journal costs about the same for one report as for a thousand.
 */
export class Grouping {
  readonly #groupMs: number;
  readonly #onDue: () => void;
  /** When rows last went on. */
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** The time of the rows that wait has come. */
  #isOver = false;
  #hasEnded = false;

  /** `onDue`: the rows that wait are to go on now. */
  constructor(groupMs: number, onDue: () => void) {
    this.#groupMs = groupMs;
    this.#onDue = onDue;
  }

  /** Rows wait. True when they may go on now; if not, `onDue` is called in time. */
  isDue(): boolean {
    if (this.#hasEnded || this.#isOver) return true;
    const leftMs = this.#lastMs + this.#groupMs - performance.now();
    if (leftMs <= 0) return true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#isOver = true;
      this.#onDue();
    }, leftMs);
    return false;
  }

  /** All rows that could go on have gone. */
  gone(): void {
    this.#isOver = false;
    this.#lastMs = performance.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Nothing waits any more from now on. */
  end(): void {
    this.#hasEnded = true;
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onDue();
  }
}
