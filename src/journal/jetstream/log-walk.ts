import type { Span } from './chain.js';
import type { Place } from './log-place.js';
import { Assembly, readRange, type Whole } from './log-reader.js';
import type { HeadRecord } from './partition-head.js';

/** What is met in a log behind the snapshot. */
export type Met =
  | { readonly kind: 'whole'; readonly whole: Whole }
  /** Messages before this position are missing. */
  | { readonly kind: 'gap'; readonly position: number };

/**
 * Reads the log behind a snapshot up to a position, which must be there. Each message says what it was appended behind:
 * where that is not the one before, some are missing.
 */
export async function* walkLog(place: Place, head: HeadRecord, to: number): AsyncGenerator<Met> {
  const { subjects } = place;
  let last = head.position;
  for (let isSecond = false; ; isSecond = true) {
    let gap: number | undefined;
    const assembly = new Assembly();
    for await (const message of readRange(place, { subject: subjects.log, from: last + 1, to })) {
      if (message.label.previous !== last) {
        // Before it is called missing, it is asked for again.
        if (!isSecond) {
          gap = message.position;
          break;
        }
        yield { kind: 'gap', position: message.position };
      }
      last = message.position;
      const whole = assembly.add(message);
      if (whole) yield { kind: 'whole', whole };
    }
    if (gap === undefined) return;
  }
}

/** What stands at a place of the log; undefined when a part of it is missing. */
export async function readWhole(place: Place, { first, position }: Span): Promise<Whole | undefined> {
  const assembly = new Assembly();
  let found: Whole | undefined;
  const range = { subject: place.subjects.log, from: first, to: position };
  for await (const message of readRange(place, range)) found = assembly.add(message);
  return found;
}
