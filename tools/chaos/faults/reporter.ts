import type { Site } from '../site.js';
import { type Fault, pick } from './fault.js';

export const WRITERS = [1, 2, 4, 7];

const shape = { group: 'reporter', shortestMs: 300, longestMs: 2500 };

/** What happens to the reporter's process. */
export function reporterFaults({ service }: Site): Fault[] {
  let writers: number | undefined;
  const start = async () => {
    await service.exclusively(() => service.start(writers));
    writers = undefined;
  };
  const kill = () => service.exclusively(() => service.kill());
  const drain = () => service.exclusively(() => service.drain());
  return [
    { ...shape, name: 'reporter killed', begin: kill, end: start },
    { ...shape, name: 'reporter drained', begin: drain, end: start },
    {
      ...shape,
      name: 'writers changed',
      begin: async (random) => {
        writers = pick(
          WRITERS.filter((count) => count !== service.writers),
          random,
        );
        await (random() < 0.5 ? kill() : drain());
      },
      end: start,
    },
    {
      ...shape,
      name: 'reporter paused',
      // Longer than a frame may stay incomplete: that clock is not the agents' fault.
      longestMs: 4000,
      begin: async () => service.pause(),
      end: async () => service.resume(),
    },
  ];
}
