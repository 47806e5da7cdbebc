/** `npm run chaos`: the real service with faults of every kind, in random order and overlapping. */
import { runTool } from '../shared/tool.js';
import { runChaos } from './chaos.js';
import { say, withFolder } from './folder.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { summaryText } from './summary.js';

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  say(`seed ${options.seed}`);
  return withFolder(`npm run chaos -- ${argumentsOf(options)}`, async (folder) => {
    const summary = await runChaos({ options, ...folder });
    return (violations) => summaryText({ ...summary, violations });
  });
}

function argumentsOf({ seed, minutes, short }: Options): string {
  return `${short ? '--short' : `--minutes ${minutes}`} --seed ${seed}`;
}

await runTool(main);
