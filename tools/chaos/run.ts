/** `npm run chaos`: the real service with faults of every kind, in random order and overlapping. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { processesNaming } from '../shared/procfs.js';
import { runTool } from '../shared/tool.js';
import { runChaos } from './chaos.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { summaryText } from './summary.js';
import { Timeline } from './timeline.js';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** What the run itself keeps in its folder; all else is left over by somebody. */
const KEPT = /^(config\.json|probe\.json|journal|reporter-\d+\.log|tmp)$/;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  say(`seed ${options.seed}`);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-chaos-'));
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
  const summary = await runChaos({ options, dir, timeline, signal: ending.signal });
  timeline.judges = true;
  for (const leftover of leftovers(dir)) timeline.violation(leftover);
  const { violations } = timeline;
  say(summaryText({ ...summary, violations: violations.length }));
  if (violations.length === 0) {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    return isInterrupted ? 1 : 0;
  }
  writeFileSync(path.join(dir, 'timeline.log'), timeline.text);
  for (const violation of violations) say(`VIOLATION ${violation}`);
  say(`journal, logs and timeline are kept in ${dir}`);
  say(`to repeat it: npm run chaos -- ${argumentsOf(options)}`);
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

function argumentsOf({ seed, minutes, short }: Options): string {
  return `${short ? '--short' : `--minutes ${minutes}`} --seed ${seed}`;
}

await runTool(main);
