import fc from 'fast-check';
import type { allCommands } from './commands.js';
import { JournalModel } from './model.js';
import type { Site } from './site.js';

const WRITERS = 2;

/** A journal that is new, and what takes away what is left of it. */
export interface Fresh {
  readonly site: Site;
  readonly remove?: () => void;
}

/**
 * Runs random commands, `runs` times, each time on a journal of `fresh`, and compares what a replay comes to with a plain
 * map. Resolves to the number of commands. LARS_TEST_SEED repeats a run; a failure prints its seed.
 */
export async function checkAgainstModel(
  commands: typeof allCommands,
  runs: number,
  fresh: () => Fresh,
): Promise<number> {
  const { LARS_TEST_SEED: seed } = process.env;
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (run) => {
      const { site, remove } = fresh();
      const model = new JournalModel(WRITERS);
      try {
        await site.open(WRITERS);
        await site.replayAll(model);
        await fc.asyncModelRun(() => ({ model, real: site }), run);
        site.disk.heal();
        await site.journal.close();
        await site.open(model.partitions.length);
        await site.replayAll(model);
        count += [...run].length;
      } finally {
        await site.journal.close();
        remove?.();
      }
    }),
    { numRuns: runs, includeErrorInReport: true, ...(seed ? { seed: Number(seed) } : {}) },
  );
  return count;
}
