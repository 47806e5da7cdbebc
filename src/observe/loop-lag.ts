import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the lag is measured, milliseconds; a timer of this length is what comes late. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1_000_000;

/** So many times the event loop came so much late. */
export interface Lag {
  readonly ms: number;
  readonly count: number;
}

/** How late timers come, because something else held the event loop. Measured by the runtime, in no turn of ours. */
export class LoopLag {
  readonly #histogram: IntervalHistogram;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  /** The lag that one in a hundred exceeds, since the last `take`; 0 before anything was measured. */
  get p99Ms(): number {
    return this.#histogram.count === 0 ? 0 : lagMs(this.#histogram.percentile(99));
  }

  /** What was measured since the last call, from the smallest lag to the largest, and starts anew. */
  take(): Lag[] {
    const { count, percentiles } = this.#histogram;
    const lags: Lag[] = [];
    let taken = 0;
    for (const [percentile, ns] of percentiles) {
      const upTo = Math.round((count * percentile) / 100);
      if (upTo > taken) lags.push({ ms: lagMs(ns), count: upTo - taken });
      taken = Math.max(taken, upTo);
    }
    this.#histogram.reset();
    return lags;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** The runtime tells the whole time between two timers. */
function lagMs(ns: number): number {
  return Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
}
