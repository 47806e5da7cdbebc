import test, { type ExecutionContext } from 'ava';
import { decodeRecord } from '../../src/journal/record.js';
import { FaultyDisk, until } from '../../src/testing/index.js';
import { journalStates, openLmdb } from '../journal/opened.js';
import { entryOf, replay } from '../journal/replay.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';

const BOUND = { boundMs: 20_000 };

function setUp(t: ExecutionContext) {
  const disk = new FaultyDisk();
  const { events, told } = journalStates();
  const journal = openLmdb({
    dir: tempDir(t),
    writers: 2,
    faults: disk.faults,
    events,
  });
  t.teardown(() => journal.close());
  const append = (sequence: number, partition = 0) =>
    journal.partition(partition).append(sequence, entryOf(sequence, pack({ modid: sequence })));
  const sequences = async (partition = 0) =>
    (await replay(journal.partition(partition))).records.map(({ sequence }) => sequence);
  return { disk, journal, told, append, sequences };
}

test('on a full disk nothing is durable, until there is room', async (t) => {
  const { disk, told, append, sequences } = setUp(t);
  disk.fill();
  let isDurable = false;
  const appended = append(1).then(() => {
    isDurable = true;
  });
  await until(() => disk.failures >= 2, { ...BOUND, what: 'two attempts' });
  t.false(isDurable);
  disk.makeRoom();
  await appended;
  t.deepEqual(told, ['ENOSPC: no space left on device, write', 'ok']);
  t.deepEqual(await sequences(), [1]);
});

test('a disk fails as often as it is told, after so many commits', async (t) => {
  const { disk, told, append, sequences } = setUp(t);
  disk.fail(2, { after: 1 });
  for (const sequence of [1, 2, 3]) await append(sequence);
  t.deepEqual(told, ['EIO: i/o error, write', 'ok']);
  t.is(disk.failures, 2);
  t.deepEqual(await sequences(), [1, 2, 3]);
});

for (const how of ['cut', 'flip'] as const) {
  test(`what is stored torn (${how}) is no record any more; all else is stored as it was given`, (t) => {
    const { disk } = setUp(t);
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
    const store = (kind: 'record' | 'piece', partition: number) =>
      disk.faults.onStore!(bytes, { kind, partition, sequence: 7 });
    disk.tear({ how, partition: 1, times: 2 });
    t.is(store('record', 0), bytes);
    t.is(store('piece', 1), bytes);
    const torn = store('record', 1);
    t.notDeepEqual(torn, bytes);
    t.throws(() => decodeRecord(torn), { code: 'JOURNAL_CORRUPT' });
    store('record', 1);
    t.is(store('record', 1), bytes);
    t.deepEqual(disk.torn, [
      { kind: 'record', partition: 1, sequence: 7 },
      { kind: 'record', partition: 1, sequence: 7 },
    ]);
    t.deepEqual(
      bytes,
      Uint8Array.from({ length: 100 }, (_, index) => index),
      'what was given is not touched',
    );
  });
}

test('a journal that is closed while a slow disk keeps a record waiting gives it up, and the process lives', async (t) => {
  const { disk, journal, append } = setUp(t);
  await append(1);
  disk.slow(50);
  const appended = append(2);
  const rejected = t.throwsAsync(appended, { code: 'JOURNAL_UNUSABLE' });
  await journal.close();
  await rejected;
});

test('a healed disk is as good as new', async (t) => {
  const { disk, append, sequences } = setUp(t);
  disk.fill();
  disk.fail(Number.POSITIVE_INFINITY);
  disk.slow(60_000);
  disk.tear({ times: 5 });
  disk.heal();
  await append(1);
  t.is(disk.failures, 0);
  t.deepEqual(await sequences(), [1]);
});
