import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from '../site.js';
import type { Fault } from './fault.js';

const LOOK_MS = 100;

/**
 * The database is away, and wide agents report more keys than may be pending (`writers.maxPendingKeys`): what would add
 * keys waits, theirs and those of the fleet, in order. Then there is room, and everything must come.
 */
export function boundFaults(site: Site): Fault[] {
  const { network } = site.database;
  return [
    {
      name: 'keys flooding',
      group: 'network',
      shortestMs: 1000,
      longestMs: 4000,
      begin: async () => {
        network.refuses = true;
        network.cut();
        site.wide.go();
      },
      end: async () => {
        network.refuses = false;
        // What was read and not journaled goes with a process that is killed: then once more.
        while (!(await deliver(site)));
      },
    },
  ];
}

/**
 * The wide agents report once more and fall silent. True when all of it is stored, so that the end of a wave may take
 * the database away and the fleet still finds room; false when the reporter was another process before.
 */
async function deliver({ database, service, wide, wideHistory, wideShape, options }: Site): Promise<boolean> {
  const { incarnation } = service;
  await wide.settle();
  const keys = wideShape.services * wideShape.hosts;
  for (;;) {
    const stored = await database.oldestRounds([...wideHistory.courses.keys()]).catch(() => []);
    const isStored = stored.every(
      ({ caller, round, rows }) => rows === keys && round === wideHistory.courses.get(caller)?.sent,
    );
    if (options.signal.aborted || (isStored && stored.length === wideHistory.courses.size)) return true;
    if (service.incarnation !== incarnation) return false;
    await sleep(LOOK_MS);
  }
}
