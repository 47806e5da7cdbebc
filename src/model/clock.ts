/**
 * Milliseconds since the epoch by a clock that runs evenly: the wall clock when the process started, and from then on
 * one that nobody sets. For ages and pauses; times that people read come from the wall clock.
 */
export function evenMs(): number {
  return performance.timeOrigin + performance.now();
}

/** `evenMs` in whole seconds. */
export function evenSecond(): number {
  return Math.floor(evenMs() / 1000);
}
