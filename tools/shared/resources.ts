import { readdirSync } from 'node:fs';
import { until } from '../../src/testing/until.js';

/** What a process holds: open files and sockets, and what keeps its event loop alive, by kind. */
export interface Held {
  readonly files: number;
  readonly resources: Readonly<Record<string, number>>;
}

export function held(): Held {
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  // The folder that is being read is one of them.
  return { files: readdirSync('/proc/self/fd').length - 1, resources };
}

/** What is held now and was not before: `2 TCPSocketWrap more`; undefined when it is nothing. */
export function heldMore(before: Held, now: Held = held()): string | undefined {
  const more: string[] = [];
  if (now.files > before.files) more.push(`${now.files - before.files} open files more`);
  for (const [kind, count] of Object.entries(now.resources)) {
    const excess = count - (before.resources[kind] ?? 0);
    if (excess > 0 && !OF_THE_MOMENT.has(kind)) more.push(`${excess} ${kind} more`);
  }
  return more.length === 0 ? undefined : more.join(', ');
}

/** Of the waiting itself, or of what other tests of the file say meanwhile. */
const OF_THE_MOMENT = new Set([
  'Immediate',
  'FSReqPromise',
  'FSReqCallback',
  'CloseReq',
  'PipeWrap',
  'WriteWrap',
]);

/** Waits until nothing is held beyond `before`; what still is when `boundMs` have passed, undefined if nothing. */
export async function leftBehind(before: Held, boundMs = 5000): Promise<string | undefined> {
  try {
    await until(() => heldMore(before) === undefined, { boundMs, what: 'everything to be given back' });
    return undefined;
  } catch {
    return heldMore(before);
  }
}
