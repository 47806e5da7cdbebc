/** Pauses between attempts: doubling, capped, jittered, so that many who failed together do not return together. */
export interface BackoffLimits {
  /** Pause after the first failure, before jitter; milliseconds. */
  readonly firstMs: number;
  /** Longest pause, before jitter; milliseconds. */
  readonly lastMs: number;
}

/**
 * Milliseconds to wait after failure number `attempt` (1, 2, …): between half and all of the doubled pause.
 * `random` gives numbers in [0, 1).
 */
export function backoffMs(
  attempt: number,
  limits: BackoffLimits,
  random: () => number = Math.random,
): number {
  const pause = Math.min(limits.lastMs, limits.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(pause * (0.5 + random() / 2));
}
