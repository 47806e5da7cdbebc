import { QUERY_TIMEOUT_MS, type Site } from '../site.js';
import type { Fault } from './fault.js';

const shape = { group: 'network', shortestMs: 300, longestMs: 3000 };

/** What happens between reporter and database. */
export function networkFaults({ database: { network } }: Site): Fault[] {
  return [
    {
      ...shape,
      name: 'network cut',
      begin: async () => {
        network.refuses = true;
        network.cut();
      },
      end: async () => {
        network.refuses = false;
      },
    },
    {
      ...shape,
      name: 'statements held back',
      // Long enough for newer rows to be sent on another connection before the older ones arrive.
      shortestMs: QUERY_TIMEOUT_MS + 500,
      longestMs: QUERY_TIMEOUT_MS + 3000,
      begin: async () => network.hold(),
      end: async () => network.release(),
    },
    {
      ...shape,
      name: 'confirmations lost',
      begin: async () => network.mute(),
      end: async () => network.cut(),
    },
  ];
}
