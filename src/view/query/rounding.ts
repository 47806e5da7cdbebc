import type { Calls, WindowS } from '../shapes.js';

const SHARE_DIGITS = 10_000;
const RATE_DIGITS = 1_000;

export function roundShare(share: number): number {
  return Math.round(share * SHARE_DIGITS) / SHARE_DIGITS;
}

interface Sums {
  readonly calls60: number;
  readonly errors60: number;
  readonly calls300: number;
  readonly errors300: number;
}

/** Traffic from its sums. `sampled`: share of the callers they are of; rates are those of all callers. */
export function callsOf(sums: Sums, minCalls: number, sampled: number): Calls {
  const window = windowOf(sums, minCalls);
  const calls = window === 300 ? sums.calls300 : sums.calls60;
  const errors = window === 300 ? sums.errors300 : sums.errors60;
  const seconds = (window ?? 60) * sampled;
  return {
    perSecond: roundRate(calls / seconds),
    errorsPerSecond: roundRate(errors / seconds),
    errorShare: window === null || calls === 0 ? null : roundShare(errors / calls),
    windowS: window,
  };
}

function windowOf({ calls60, calls300 }: Sums, minCalls: number): WindowS {
  if (calls60 >= minCalls) return 60;
  return calls300 >= minCalls ? 300 : null;
}

function roundRate(rate: number): number {
  return Math.round(rate * RATE_DIGITS) / RATE_DIGITS;
}
