import { until } from '../../../src/testing/index.js';
import type { Site } from '../site.js';
import type { Fault } from './fault.js';

/** Below this nothing of a flood is pending any more that could keep the keys of the fleet out. */
const AT_EASE = 3000;
const BOUND_MS = 120_000;

/**
 * The database is away, and wide agents report more keys than may be pending (`writers.maxPendingKeys`): what would add
 * keys waits, theirs and those of the fleet, in order. Then there is room, and everything must come.
 */
export function boundFaults({ database: { network }, wide, admin, options: { signal } }: Site): Fault[] {
  return [
    {
      name: 'keys flooding',
      group: 'network',
      shortestMs: 1000,
      longestMs: 4000,
      begin: async () => {
        network.refuses = true;
        network.cut();
        wide.go();
      },
      end: async () => {
        network.refuses = false;
        await wide.settle();
        // The end of a wave takes the database away again, and expects that the fleet finds room.
        await until(
          async () => {
            if (signal.aborted) return true;
            const { ledger, writers } = await admin.status();
            return ledger.pending < AT_EASE && writers.every(({ full }) => !full);
          },
          { boundMs: BOUND_MS, what: 'the flood of keys to be stored' },
        );
      },
    },
  ];
}
