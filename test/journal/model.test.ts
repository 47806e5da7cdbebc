import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { allCommands } from './commands.js';
import { JournalModel } from './model.js';
import { lmdbIn, Site } from './site.js';

const RUNS = Number(process.env['LARS_TEST_RUNS'] ?? 60);
const WRITERS = 2;

/** Repeats a run; a failure prints its seed. */
const repeated = process.env['LARS_TEST_SEED'] ? { seed: Number(process.env['LARS_TEST_SEED']) } : {};

test('whatever is appended, confirmed, refused, snapshot, torn, put aside, laid out anew or cut off by a crash or a failing disk: replay comes to what a plain map holds', async (t) => {
  t.timeout(170_000);
  let commands = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands(allCommands, { maxCommands: 40, size: 'max' }), async (run) => {
      const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-test-'));
      const site = new Site(lmdbIn(dir));
      const model = new JournalModel(WRITERS);
      try {
        await site.open(WRITERS);
        await site.replayAll(model);
        await fc.asyncModelRun(() => ({ model, real: site }), run);
        site.disk.heal();
        await site.journal.close();
        await site.open(model.partitions.length);
        await site.replayAll(model);
        commands += [...run].length;
      } finally {
        await site.journal.close();
        rmSync(dir, { recursive: true, force: true });
      }
    }),
    { numRuns: RUNS, includeErrorInReport: true, ...repeated },
  );
  t.true(commands > RUNS);
});
