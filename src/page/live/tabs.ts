/**
 * Browsers open six connections to one server at a time over HTTP/1.1, and a stream takes one for as long as it is
 * open. So only a few pages listen; further ones ask every few seconds.
 */
const MOST_STREAMS = 4;
const ROLL_CALL_MS = 150;

interface Word {
  readonly kind: 'who' | 'mine';
  readonly id: string;
}

const id = Math.random().toString(36).slice(2);
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('lars-reporter');
const others = new Set<string>();
/** This page has a stream, or is about to. */
let wantsStream = false;

channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  if (data.kind === 'who' && wantsStream) say('mine');
  others.add(data.id);
});

function say(kind: Word['kind']): void {
  channel?.postMessage({ kind, id } satisfies Word);
}

/** Whether this page may open a stream: fewer than four others have one, or came earlier at the same moment. */
export async function mayStream(): Promise<boolean> {
  if (!channel) return true;
  const had = wantsStream;
  wantsStream = true;
  others.clear();
  say('who');
  await new Promise((resolve) => setTimeout(resolve, ROLL_CALL_MS));
  if (had) return true;
  const before = others.size < MOST_STREAMS ? others.size : [...others].filter((other) => other < id).length;
  if (before < MOST_STREAMS) return true;
  wantsStream = false;
  return false;
}

export function giveStreamUp(): void {
  wantsStream = false;
}
