import type { HistoryAnswer, HistoryStep } from '../../view/history-shapes.js';
import type { SparkMinute } from '../../view/shapes.js';

/** What plots are drawn from; all of one length. */
export interface Series {
  /** Epoch seconds, rising. */
  readonly t: readonly number[];
  /** Calls a second; undefined when it is not told. */
  readonly calls: readonly (number | null)[] | undefined;
  /** Failed ones of all calls, in per cent. */
  readonly errors: readonly (number | null)[];
  readonly overloaded: readonly (number | null)[] | undefined;
}

const STEP_S: Readonly<Record<HistoryStep, number>> = {
  ...{ '10s': 10, '1m': 60, '10m': 600, '30m': 1_800, '1h': 3_600 },
};
/** A point that was seen for less than this share of it says too little of how many calls there were. */
const LEAST_COVERAGE = 0.1;

export function seriesOfHistory({ step, t, calls, errs, overloaded, coverage }: HistoryAnswer): Series {
  const stepS = STEP_S[step];
  return {
    t: t.map((time) => Date.parse(time) / 1000),
    calls: calls.map((count, index) => {
      const share = coverage[index] ?? 0;
      return count === null || share < LEAST_COVERAGE ? null : count / (stepS * share);
    }),
    errors: calls.map((count, index) => {
      const failed = errs[index] ?? null;
      return count === null || failed === null || count === 0 ? null : (failed / count) * 100;
    }),
    overloaded,
  };
}

/** The minutes up to now, from the strip of a summary: less is told there. */
export function seriesOfSpark(spark: readonly SparkMinute[], nowMs: number): Series {
  const minute = Math.floor(nowMs / 60_000);
  return {
    t: spark.map((_, index) => (minute - spark.length + index) * 60),
    calls: undefined,
    errors: spark.map(([, share]) => (share === null ? null : share * 100)),
    overloaded: undefined,
  };
}

export function isEmpty({ calls, errors }: Series): boolean {
  return [...(calls ?? []), ...errors].every((value) => value === null);
}
