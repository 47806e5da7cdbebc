import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { allCommands } from './commands.js';
import { checkAgainstModel } from './model-check.js';
import { lmdbIn, Site } from './site.js';

const RUNS = Number(process.env['LARS_TEST_RUNS'] ?? 60);

test('whatever is appended, confirmed, refused, snapshot, torn, put aside, laid out anew or cut off by a crash or a failing disk: replay comes to what a plain map holds', async (t) => {
  t.timeout(170_000);
  const commands = await checkAgainstModel(allCommands, RUNS, () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-test-'));
    return {
      site: new Site(lmdbIn(dir)),
      remove: () => rmSync(dir, { recursive: true, force: true }),
    };
  });
  t.true(commands > RUNS);
});
