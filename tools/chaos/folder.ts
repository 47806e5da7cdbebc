import { setMaxListeners } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { processesNaming } from '../shared/procfs.js';
import { Timeline } from './timeline.js';

export const say = (text: string) => process.stdout.write(`${text}\n`);

/** What a run itself keeps in its folder; all else is left over by somebody. */
const KEPT = /^(ca-\w+|config\.json|probe\.json|journal|history|reporter-\d+\.log|tmp)$/;

export interface Folder {
  /** Where everything is kept. */
  readonly dir: string;
  readonly timeline: Timeline;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/**
 * Runs something with a folder of its own, until it is over, something is not as it must be, or somebody interrupts it.
 * `run` resolves to what sums it up. Resolves to the exit code. The folder is removed when everything held; otherwise
 * `command` is printed, which repeats the run.
 */
export async function withFolder(
  command: string,
  run: (folder: Folder) => Promise<(violations: number) => string>,
): Promise<number> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-chaos-'));
  mkdirSync(path.join(dir, 'tmp'));
  // Whoever makes a temporary file makes it where it is seen.
  process.env['TMPDIR'] = dir;
  const ending = new AbortController();
  // Every fault of a wave waits for it.
  setMaxListeners(0, ending.signal);
  const timeline = new Timeline(say, () => ending.abort());
  let isInterrupted = false;
  const interrupt = () => {
    if (isInterrupted) process.exit(1);
    isInterrupted = true;
    timeline.say('interrupted; everything is ended');
    // A terminal interrupts the reporter and the database, too.
    timeline.judges = false;
    ending.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const summary = await run({ dir, timeline, signal: ending.signal });
  timeline.judges = true;
  for (const leftover of leftovers(dir)) timeline.violation(leftover);
  const { violations } = timeline;
  say(summary(violations.length));
  if (violations.length === 0) {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    return isInterrupted ? 1 : 0;
  }
  writeFileSync(path.join(dir, 'timeline.log'), timeline.text);
  for (const violation of violations) say(`VIOLATION ${violation}`);
  say(`journal, logs and timeline are kept in ${dir}`);
  say(`to repeat it: ${command}`);
  return 1;
}

/** Processes and files that a run has left. */
function leftovers(dir: string): string[] {
  const files = [
    ...readdirSync(dir).filter((name) => !KEPT.test(name)),
    ...readdirSync(path.join(dir, 'tmp')).map((name) => `tmp/${name}`),
  ];
  return [
    ...files.map((file) => `${file} is left over`),
    ...processesNaming(dir).map((pid) => `process ${pid} is left over`),
  ];
}
