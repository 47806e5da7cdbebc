import { DATABASE } from '../database.js';
import type { Site } from '../site.js';
import type { Fault } from './fault.js';

const EVENTS = ['insert', 'update'];

/** Rows that the database rejects because of their content. When it accepts them again, the dead letters are replayed. */
export function refusalFaults(site: Site): Fault[] {
  const { database } = site;
  return [
    {
      name: 'rows rejected',
      group: 'refusal',
      shortestMs: 1000,
      longestMs: 4000,
      begin: async (random) => {
        const first = site.callers[0];
        const last = site.callers.at(-1);
        // A few keys of some agents, of services of every writer.
        const callers = `NEW.caller BETWEEN ${first} AND ${last} AND NEW.caller % 3 = ${Math.floor(random() * 3)}`;
        const host = `NEW.port = ${8000 + Math.floor(random() * site.options.hosts)}`;
        for (const event of EVENTS)
          await database.eventually(
            `CREATE TRIGGER IF NOT EXISTS ${DATABASE}.refuse_${event} BEFORE ${event} ON ${DATABASE}.ServerCallStatus
            FOR EACH ROW BEGIN IF ${callers} AND ${host} THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this row is not welcome'; END IF; END`,
          );
      },
      end: async () => {
        for (const event of EVENTS)
          await database.eventually(`DROP TRIGGER IF EXISTS ${DATABASE}.refuse_${event}`);
        // Whatever is in the way now, the end of the wave replays what is left.
        await site.admin.replay().catch(() => {});
      },
    },
  ];
}
