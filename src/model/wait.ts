import { setTimeout as sleep } from 'node:timers/promises';

/** How often waiting for a condition looks again. */
const POLL_MS = 10;

/** Waits until `condition` holds; false when `boundMs` have passed before. */
export async function until(condition: () => boolean, boundMs = Number.POSITIVE_INFINITY): Promise<boolean> {
  // Not the wall clock: it may be set while we wait.
  const deadline = performance.now() + boundMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Waits until `value` has not changed for `forMs`, at most `longestMs`. */
export async function quiet(value: () => number, forMs: number, longestMs: number): Promise<void> {
  const deadline = performance.now() + longestMs;
  let last = value();
  let changedMs = performance.now();
  while (performance.now() < deadline && performance.now() - changedMs < forMs) {
    await sleep(POLL_MS);
    if (value() === last) continue;
    last = value();
    changedMs = performance.now();
  }
}
