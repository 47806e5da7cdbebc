/** Longest that agents keep the event loop from sockets and timers, in milliseconds. */
const TURN_MS = 5;

/**
 * Lets many agents work one after the other, a few milliseconds in each turn of the event loop. Without, agents
 * whose bytes are always taken at once would never let anything else happen.
 */
export class Turns {
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Resolves with what `work` resolves with, which is called in its turn: first come, first served. */
  take<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(work()));
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const end = performance.now() + TURN_MS;
    let done = 0;
    while (done < waiting.length && performance.now() < end) waiting[done++]!();
    if (done === waiting.length) return;
    this.#waiting = [...waiting.slice(done), ...this.#waiting];
    this.#schedule();
  }
}

/** At most so many at a time; the others wait, first come, first served. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
