import { setTimeout as sleep } from 'node:timers/promises';

/** How often waiting for a condition looks again. */
const POLL_MS = 10;

/** Waits until `condition` holds; false when `deadline` (milliseconds since the epoch) comes first. */
export async function until(condition: () => boolean, deadline = Number.POSITIVE_INFINITY): Promise<boolean> {
  while (!condition()) {
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Waits until `value` has not changed for `forMs`, at most `longestMs`. */
export async function quiet(value: () => number, forMs: number, longestMs: number): Promise<void> {
  const deadline = Date.now() + longestMs;
  let last = value();
  let changedMs = Date.now();
  while (Date.now() < deadline && Date.now() - changedMs < forMs) {
    await sleep(POLL_MS);
    if (value() === last) continue;
    last = value();
    changedMs = Date.now();
  }
}
