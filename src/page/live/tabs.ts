/**
 * Browsers open six connections to one server at a time over HTTP/1.1, and a stream takes one for as long as it is
 * open. So only a few pages listen; further ones ask every few seconds.
 */
const MOST_STREAMS = 4;
const ROLL_CALL_MS = 150;

interface Word {
  readonly kind: 'who' | 'mine';
  readonly id: string;
  /** When it claimed its stream. */
  readonly sinceMs: number;
}

const id = Math.random().toString(36).slice(2);
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('lars-reporter');
/** Other pages that have a stream, or are about to: when they claimed it. */
const others = new Map<string, number>();
/** This page has a stream, or is about to. */
let sinceMs: number | undefined;

channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  others.set(data.id, data.sinceMs);
  if (data.kind === 'who') say('mine');
});

function say(kind: Word['kind']): void {
  if (sinceMs !== undefined) channel?.postMessage({ kind, id, sinceMs } satisfies Word);
}

/** Whether this page may open a stream: fewer than four others claimed one before it did. */
export async function mayStream(): Promise<boolean> {
  if (!channel) return true;
  sinceMs ??= Date.now();
  others.clear();
  say('who');
  await new Promise((resolve) => setTimeout(resolve, ROLL_CALL_MS));
  const own = sinceMs;
  if (own === undefined) return false;
  const before = [...others].filter(([other, claimed]) => claimed < own || (claimed === own && other < id));
  if (before.length < MOST_STREAMS) return true;
  sinceMs = undefined;
  return false;
}

export function giveStreamUp(): void {
  sinceMs = undefined;
}
