/** `npm run trial:notice`: agents that never reconnect, while their reporter is handed over, killed and reloaded. */

import { runTool } from '../../shared/tool.js';
import { say, withFolder } from '../folder.js';
import { runTrial } from './notice.js';
import { parseOptions, USAGE } from './options.js';

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const { minutes, agents, seed } = options;
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  say(`seed ${seed}`);
  const command = `npm run trial:notice -- --minutes ${minutes} --agents ${agents} --seed ${seed}`;
  return withFolder(command, async (folder) => {
    const summary = await runTrial({ options, ...folder });
    return (violations) => `${summary}\nviolations ${violations}`;
  });
}

await runTool(main);
