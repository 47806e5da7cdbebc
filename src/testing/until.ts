import { setTimeout as sleep } from 'node:timers/promises';

/** How long is waited, and for what. */
export interface UntilOptions {
  /** Milliseconds to wait at most. */
  readonly boundMs: number;
  /** What is waited for, for the error: `waited 5000 ms in vain: the server answers`. */
  readonly what: string;
}

/** How often it asks. */
const EVERY_MS = 10;

/**
 * Asks `condition` again and again until it gives something truthy, and resolves with that. What it throws
 * counts as "not yet". Rejects after `boundMs` with what was waited for and the last error.
 *
 *     await until(() => reporter.ledger().pending === 0, { boundMs: 20_000, what: 'everything to be stored' });
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { boundMs, what }: UntilOptions,
): Promise<Exclude<Value, false | undefined | null | 0 | ''>> {
  const deadline = performance.now() + boundMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<Value, false | undefined | null | 0 | ''>;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline)
      throw new Error(`waited ${boundMs} ms in vain: ${what}`, last === undefined ? {} : { cause: last });
    await sleep(EVERY_MS);
  }
}
