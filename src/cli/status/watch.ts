import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../model/errors.js';
import { UnaskedError } from '../terminal.js';
import type { Answered } from './asking.js';
import { Screen } from './screen.js';
import { span } from './spans.js';
import type { WatchOptions } from './watch-options.js';

/**
 * Shows it again and again until it is told to stop. A reporter that does not answer is asked on: what was seen last
 * stays, marked as not live. Resolves to what was seen last.
 */
export async function watch(options: WatchOptions): Promise<Answered | undefined> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return process.stdout.isTTY && process.stdin.isTTY && !options.isPlain
      ? await new Screen(options, stop).run()
      : await blocks(options, stop.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** For pipes and files: a block each time. */
async function blocks(
  { reporter, subject, everyMs, show, isPlain }: WatchOptions,
  signal: AbortSignal,
): Promise<Answered | undefined> {
  let last: Answered | undefined;
  let lostMs: number | undefined;
  let isFirst = true;
  while (!signal.aborted) {
    let lines: readonly string[] = [];
    try {
      last = await reporter.ask(subject, signal);
      lostMs = undefined;
      lines = show(last);
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof UnaskedError)) throw error;
      lostMs ??= performance.now();
      const text = `not live for ${span((performance.now() - lostMs) / 1000)}: ${messageOf(error)}`;
      lines = [isPlain ? JSON.stringify({ error: text }) : text];
    }
    await write(`${isFirst || isPlain ? '' : '\n'}${lines.join('\n')}\n`);
    isFirst = false;
    await pause(everyMs, undefined, { signal }).catch(() => {});
  }
  return last;
}

/** A reader that is slow is waited for, not buffered for. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
