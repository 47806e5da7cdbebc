/** Rows that were stored together, and rest since. */
export interface Rest {
  /** Id of the chunk they were stored with. */
  readonly chunk: number;
  readonly slots: Int32Array;
  /** On the clock of whoever adds rests, milliseconds. */
  readonly untilMs: number;
}

/** The rows that were stored a moment ago, oldest first, with a bound on how many are remembered. */
export class Rests {
  readonly #restMs: number;
  readonly #maxRows: number;
  #queue: Rest[] = [];
  /** Those before it are over. */
  #first = 0;
  #rows = 0;

  /** `restMs`: how long a row rests; `maxRows`: how many may, beyond which the oldest rests are cut short. */
  constructor(restMs: number, maxRows: number) {
    this.#restMs = restMs;
    this.#maxRows = maxRows;
  }

  /** Whether rows rest at all. */
  get isOn(): boolean {
    return this.#restMs > 0;
  }

  /** Rows that are remembered. A row that was stored again since counts twice. */
  get rows(): number {
    return this.#rows;
  }

  /** When the first rest is over; undefined when nothing rests. */
  get firstUntilMs(): number | undefined {
    return this.#queue[this.#first]?.untilMs;
  }

  /** Rows have been stored at `nowMs`, which never falls. */
  add(chunk: number, slots: Int32Array, nowMs: number): void {
    this.#queue.push({ chunk, slots, untilMs: nowMs + this.#restMs });
    this.#rows += slots.length;
  }

  /** Takes the next rest that is over at `nowMs`, or has to be cut short; undefined when there is none. */
  take(nowMs: number): Rest | undefined {
    const rest = this.#queue[this.#first];
    if (!rest || (rest.untilMs > nowMs && this.#rows <= this.#maxRows)) return undefined;
    this.#first++;
    this.#rows -= rest.slots.length;
    // Rests end in the order they began: what is over goes in large pieces.
    if (this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return rest;
  }
}
