import { QUERY_TIMEOUT_MS, type Site } from '../site.js';
import type { Fault } from './fault.js';

const shape = { group: 'database', shortestMs: 300, longestMs: 3000 };

/** What happens to the database's process. */
export function databaseFaults({ database }: Site): Fault[] {
  const { server } = database;
  const start = () => server.start();
  return [
    { ...shape, name: 'database killed', begin: () => server.kill9(), end: start },
    { ...shape, name: 'database shut down', begin: () => server.stop(), end: start },
    {
      ...shape,
      name: 'database paused',
      shortestMs: QUERY_TIMEOUT_MS + 300,
      longestMs: QUERY_TIMEOUT_MS + 3000,
      begin: () => server.pause(),
      end: async () => server.resume(),
    },
  ];
}
