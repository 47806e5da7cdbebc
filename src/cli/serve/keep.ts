import { isatty } from 'node:tty';
import { inheritedSockets } from '../../keeper/inherited.js';
import { Keeper } from '../../keeper/keeper.js';
import { KeeperLog } from '../../keeper/keeper-log.js';
import { openFilesLimit } from '../../model/open-files.js';

/** `serve` as a keeper: holds ports and connections for a child that does the work. Resolves with the exit code. */
export async function keep(): Promise<number> {
  const keeper = new Keeper({
    log: new KeeperLog(),
    inherited: inheritedSockets(process.env, process.pid),
    openFiles: openFilesLimit(),
    isOnTerminal: [0, 1, 2].some((fd) => isatty(fd)),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
    process.on(signal, () => keeper.signal(signal));
  return await keeper.ended;
}
