import type { Place } from './log-place.js';
import type { Head } from './partition-head.js';

const ATTEMPTS = 3;

/**
 * Removes what the published snapshot stands for. Never rejects. The record it ends with stays: see `Chain`. What cannot be removed now
 * is in nobody's way, and goes after the next snapshot.
 */
export async function purgeBehind({ link, subjects }: Place, { value, revision }: Head): Promise<void> {
  const { stream } = subjects;
  const purges = [
    [subjects.log, value.position],
    [subjects.pieces, value.snapshot?.first ?? revision],
    [subjects.head, revision],
  ] as const;
  for (const [subject, before] of purges) {
    for (let attempt = 0; attempt < ATTEMPTS && before > 0; attempt++) {
      try {
        await link.purge(stream, subject, before);
        break;
      } catch {
        // Tried again, then left.
      }
    }
  }
}
