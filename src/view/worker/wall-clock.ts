import type { ThreadClock } from '../feed/thread-clock.js';
import type { View } from '../view.js';

/** A step of the wall clock that is told; smaller ones are how clocks are kept right. */
const STEP_S = 2;

/** Follows the wall clock, by which times are shown, on the clock that nobody sets. */
export class WallClock {
  readonly #view: View;
  readonly #clock: ThreadClock;
  readonly #wallMs: () => number;
  #offsetS: number;

  /** `wallMs`: for tests. */
  constructor(view: View, clock: ThreadClock, wallMs: () => number = Date.now) {
    this.#view = view;
    this.#clock = clock;
    this.#wallMs = wallMs;
    this.#offsetS = this.#offset();
    view.setWallOffset(this.#offsetS);
  }

  /** To be called once a second. */
  look(): void {
    const offsetS = this.#offset();
    const step = offsetS - this.#offsetS;
    this.#offsetS = offsetS;
    this.#view.setWallOffset(offsetS);
    if (Math.abs(step) < STEP_S) return;
    const how = step > 0 ? 'forward' : 'back';
    this.#view.note(
      `the clock of the reporter was set ${how} by ${Math.round(Math.abs(step))} s`,
      'clock-stepped',
    );
  }

  /** Wall clock less even clock. */
  #offset(): number {
    // A clock that runs faster than time, in tests, is the wall clock, too.
    return this.#clock.setting.speed === 1 ? (this.#wallMs() - this.#clock.nowMs()) / 1000 : 0;
  }
}
