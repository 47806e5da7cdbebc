const MINUTE_S = 60;
/** Minutes that are remembered. */
const REMEMBERED = 60;
/** A tick speaks for so many seconds: a thread that stood still longer has not seen what lies between. */
const MOST_S = 3;

/** How many seconds of each minute the view was live. */
export class Covered {
  readonly #seconds = new Map<number, number>();
  /** Up to this second it is known. */
  #until: number;

  constructor(second: number) {
    this.#until = second;
  }

  /** A tick. `isLive`: nothing was missed since the one before. */
  tick(second: number, isLive: boolean): void {
    const from = Math.max(this.#until, second - MOST_S);
    this.#until = Math.max(this.#until, second);
    if (!isLive) return;
    for (let at = from; at < second; at++) {
      const minute = Math.floor(at / MINUTE_S);
      this.#seconds.set(minute, (this.#seconds.get(minute) ?? 0) + 1);
    }
    for (const minute of this.#seconds.keys()) {
      if (this.#seconds.size <= REMEMBERED) return;
      this.#seconds.delete(minute);
    }
  }

  /** Seconds of a minute of the view, 0 … 60. */
  of(minute: number): number {
    return this.#seconds.get(minute) ?? 0;
  }
}
