const HOUR_S = 3_600;
/** Rows of the table may be older than the process. */
const PAST_S = 60 * 86_400;

/**
 * Seconds of the view: int32, 1 … 68 years on, counted from a full hour some time before the start. 0 means never.
 * They run evenly; when the wall clock is set, only `offsetS` changes, and with it how seconds are shown.
 */
export class Clock {
  readonly #baseS: number;
  /** Wall clock less even clock. */
  #offsetS = 0;

  /** `startS`: the even clock at the start, epoch seconds. */
  constructor(startS: number) {
    this.#baseS = Math.floor(startS / HOUR_S) * HOUR_S - PAST_S;
  }

  /** Tells how far the wall clock is from the even one now. */
  setOffset(offsetS: number): void {
    this.#offsetS = Math.round(offsetS);
  }

  /** Second of the view for a time of the even clock, in epoch seconds; 1 at least. */
  fromEven(evenS: number): number {
    return Math.max(1, Math.floor(evenS) - this.#baseS);
  }

  /** Second of the view for a time of the wall clock; 1 at least. */
  fromWall(wallS: number): number {
    return Math.max(1, Math.floor(wallS) - this.#offsetS - this.#baseS);
  }

  /** Epoch seconds of the wall clock. */
  toWall(second: number): number {
    return second + this.#baseS + this.#offsetS;
  }

  /** `2026-11-27T02:14:07Z` */
  iso(second: number): string {
    return `${new Date(this.toWall(second) * 1000).toISOString().slice(0, 19)}Z`;
  }

  /** As `iso`; null for never. */
  isoOrNull(second: number): string | null {
    return second === 0 ? null : this.iso(second);
  }
}
