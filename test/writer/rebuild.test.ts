import test from 'ava';
import { FaultyStore, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { startSite } from './site.js';

const BOUND = { boundMs: 30_000 };

test('while a crashed writer replays its journal, its oldest pending report is as old as before', async (t) => {
  const store = new FaultyStore();
  const seen: (number | undefined)[] = [];
  let mayCrash = false;
  const atStep = (step: string) => {
    if (step === 'recovery' && site) seen.push(site.writer.oldestSince());
    if (step !== 'flush' || !mayCrash) return;
    mayCrash = false;
    throw new Error('on purpose');
  };
  let site: ReturnType<typeof startSite> | undefined;
  site = startSite(t, { dir: tempDir(t), store, atStep });
  const { send, journaled, writer } = site;
  store.fail();
  for (let value = 1; value <= 3; value++) {
    send([value], value);
    await until(() => journaled() === value, { ...BOUND, what: 'a batch to be journaled' });
  }
  const before = writer.oldestSince()!;
  seen.length = 0;
  mayCrash = true;
  await until(() => seen.length >= 4, { ...BOUND, what: 'the replay of all records' });
  for (const since of seen) t.true(since !== undefined && since <= before, `${since} instead of ${before}`);
});
