import { isSame, type Label, type Stored } from './label.js';
import type { Place } from './log-place.js';
import { Refused } from './nats-link.js';

/** What became of a conditional append. */
export type Outcome =
  | { readonly kind: 'appended'; readonly position: number }
  /** Something else stands there; less than there was, or nothing, when servers have lost what they had confirmed. */
  | { readonly kind: 'refused'; readonly by: Stored | undefined }
  /** Given up before it was sent for the first time. */
  | { readonly kind: 'given-up' };

/** A leader that is replaced knows it before, and answers no more: 10 s without a majority. */
const STALE_LEADER_MS = 20_000;

/**
 * Appends under the condition that `label.previous` is the last position of the subject, again and again until it is
 * known what became of it. An append that is not answered may be durable, or be so later: the same one is sent again, under
 * the same condition, so that it is there once at the most.
 *
 * Is it refused, that proves nothing yet: it may be one's own that stands there, or is on its way; and a leader that was
 * replaced and does not know it yet may show less than there is.
 */
export async function appendIf(
  { link, attempts, subjects }: Place,
  subject: string,
  label: Label,
  body: Uint8Array,
  isStale: () => boolean = () => false,
): Promise<Outcome> {
  let isSent = false;
  let missingSinceMs: number | undefined;
  const attempt = async (): Promise<Outcome> => {
    isSent = true;
    try {
      return { kind: 'appended', position: await link.publish(subject, label, body, label.previous) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const found = await link.last(subjects.stream, subject);
      if (found && isSame(found.label, label)) return { kind: 'appended', position: found.position };
      const position = found?.position ?? 0;
      if (position > label.previous) return { kind: 'refused', by: found };
      if (position < label.previous) {
        missingSinceMs ??= performance.now();
        if (performance.now() - missingSinceMs > STALE_LEADER_MS) return { kind: 'refused', by: found };
      }
      throw error;
    }
  };
  return (await attempts.write(attempt, () => !isSent && isStale())) ?? { kind: 'given-up' };
}
