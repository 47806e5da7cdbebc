import { backoffMs } from '../model/backoff.js';

export interface SupervisionLimits {
  /** Restarts of one writer within `periodMs` after which it counts as failing. */
  readonly maxRestarts: number;
  readonly periodMs: number;
  /** Pause before the first restart; doubles with each further one of the period. */
  readonly backoffMs: number;
  /** Longest pause; also the pace at which a failing writer is tried again. */
  readonly maxBackoffMs: number;
}

/**
 * How often a writer may crash. Within the budget restarts follow with a growing pause; beyond it they go on, for
 * a stopped writer would lose what is sent to it, at the longest pause until a whole period was quiet enough.
 */
export class RestartBudget {
  readonly #limits: SupervisionLimits;
  readonly #random: () => number;
  #crashes: number[] = [];

  constructor(limits: SupervisionLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** Records a crash at `nowMs` and returns the pause before the restart, in milliseconds. */
  crashed(nowMs: number): number {
    const { backoffMs: firstMs, maxBackoffMs: lastMs, maxRestarts } = this.#limits;
    this.#crashes.push(nowMs);
    const crashes = this.#recent(nowMs);
    if (crashes > maxRestarts) return lastMs;
    return backoffMs(crashes, { firstMs, lastMs }, this.#random);
  }

  /** Whether more crashes than allowed lie within the period that ends at `nowMs`. */
  exhausted(nowMs: number): boolean {
    return this.#recent(nowMs) > this.#limits.maxRestarts;
  }

  #recent(nowMs: number): number {
    // One more than allowed is all that has to be remembered, however long a writer fails.
    this.#crashes = this.#crashes
      .filter((at) => at > nowMs - this.#limits.periodMs)
      .slice(-(this.#limits.maxRestarts + 1));
    return this.#crashes.length;
  }
}

/** Crashes in a row on one record after which it is taken out of the way. */
const QUARANTINE_AFTER = 3;

/** Notices a writer that crashes on the same record again and again. */
export class Stumbling {
  #sequence: number | undefined;
  #times = 0;

  /** Records a crash while `sequence` was replayed, if any was. True when it is to go into quarantine. */
  over(sequence: number | undefined): boolean {
    this.#times = sequence === this.#sequence ? this.#times + 1 : 1;
    this.#sequence = sequence;
    return sequence !== undefined && this.#times >= QUARANTINE_AFTER;
  }
}
