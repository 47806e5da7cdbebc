import type { Head, SparkMinute } from '../../view/shapes.js';

/** GET /api/history; null where nothing is known. */
export interface HistoryAnswer extends Partial<Head> {
  readonly step: string;
  /** ISO 8601, or epoch seconds. */
  readonly t: readonly (string | number)[];
  readonly calls: readonly (number | null)[];
  readonly errs: readonly (number | null)[];
  readonly overloaded: readonly (number | null)[];
  readonly callers?: readonly (number | null)[];
  readonly level?: readonly (number | null)[];
}

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

const STEP_S: Readonly<Record<string, number>> = { '10s': 10, '1m': 60, '10m': 600 };

export function seriesOfHistory({ step, t, calls, errs, overloaded }: HistoryAnswer): Series {
  const stepS = STEP_S[step] ?? 60;
  return {
    t: t.map((time) => (typeof time === 'number' ? time : Date.parse(time) / 1000)),
    calls: calls.map((count) => (count === null ? null : count / stepS)),
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
