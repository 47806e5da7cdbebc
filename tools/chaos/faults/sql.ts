import { USER } from '../../shared/database-server.js';
import type { Site } from '../site.js';
import { type Fault, Repeated } from './fault.js';

const shape = { shortestMs: 500, longestMs: 3000 };
const KILL_EVERY_MS = 200;

/** What administrators of the database do. */
export function sqlFaults({ database, service }: Site): Fault[] {
  const kills = new Repeated();
  return [
    {
      ...shape,
      name: 'sessions killed',
      group: 'sessions',
      begin: async () =>
        kills.start(async () => {
          await database.killSessions();
          return KILL_EVERY_MS;
        }),
      end: () => kills.stop(),
    },
    {
      ...shape,
      name: 'grants taken away',
      group: 'grants',
      begin: async () => {
        service.refuse(true);
        await database.eventually(`REVOKE ALL PRIVILEGES ON \`lars%\`.* FROM '${USER}'@'%'`);
        // Sessions that are there go on with the grants they had.
        await database.killSessions().catch(() => {});
      },
      end: async () => {
        await database.eventually(`GRANT ALL ON \`lars%\`.* TO '${USER}'@'%'`);
        service.refuse(false);
      },
    },
    {
      ...shape,
      name: 'database read-only',
      group: 'read-only',
      begin: () => database.eventually('SET GLOBAL read_only = 1'),
      end: () => database.eventually('SET GLOBAL read_only = 0'),
    },
  ];
}
