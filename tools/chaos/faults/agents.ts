import type { Site } from '../site.js';
import { type Fault, Repeated } from './fault.js';

const CUT_EVERY_MS = 400;

/** Agents that are cut off, in the middle of whatever they send, and come back. */
export function agentFaults({ fleet }: Site): Fault[] {
  const cuts = new Repeated();
  return [
    {
      name: 'agents cut off',
      group: 'agents',
      shortestMs: 300,
      longestMs: 3000,
      begin: async (random) =>
        cuts.start(async () => {
          await fleet.cut(0.1 + random() * 0.6, random);
          return random() * CUT_EVERY_MS;
        }),
      end: () => cuts.stop(),
    },
  ];
}
