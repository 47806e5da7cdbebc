import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { open } from 'lmdb';
import { Commits } from '../../src/journal/lmdb/commits.js';
import type { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import { LmdbPartition } from '../../src/journal/lmdb/partition.js';
import type { Shared } from '../../src/journal/lmdb/place.js';
import { Scratches } from '../../src/journal/lmdb/scratches.js';
import { encodeRecord } from '../../src/journal/record.js';
import { commit } from '../../src/lmdb/commit.js';
import { ReporterError } from '../../src/model/errors.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { journalStates, openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const failsWith = (code: string) => ({ instanceOf: ReporterError, code });

async function withJournal<T>(
  dir: string,
  use: (journal: LmdbJournal) => T | Promise<T>,
  writers = 4,
): Promise<T> {
  const journal = openLmdb({ dir, writers });
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

test('records come back in the order they were appended, partition by partition, after a restart', async (t) => {
  const dir = tempDir(t);
  await withJournal(dir, async (journal) => {
    const partitions = [0, 1, 3].map((index) => journal.partition(index));
    // More than one read's worth, the writers side by side.
    await Promise.all(
      partitions.map(async (partition, index) => {
        for (let sequence = 1; sequence <= 150 + index; sequence++)
          await partition.append(sequence, entryOf(sequence, pack({ modid: index, succ: sequence })));
      }),
    );
    t.is(partitions[0]?.sinceSnapshot.events, 150);
  });
  await withJournal(dir, async (journal) => {
    for (const [order, index] of [0, 1, 3].entries()) {
      const partition = journal.partition(index);
      const { records, base, last, batchId } = await replay(partition);
      t.is(base, 0);
      t.is(last, 150 + order);
      t.is(batchId, 150 + order);
      const wanted = Array.from({ length: 150 + order }, (_, at) => ({
        sequence: at + 1,
        record: entryOf(at + 1, pack({ modid: order, succ: at + 1 })).record,
      }));
      t.deepEqual(records, wanted);
      const bytes = wanted.reduce((sum, { record }) => sum + encodeRecord(record).length, 0);
      t.deepEqual(partition.sinceSnapshot, { events: 150 + order, bytes });
      t.is(partition.bytes, bytes);
    }
    t.deepEqual((await replay(journal.partition(2))).records, []);
  });
});

test('a journal keeps its id and its layout; another one has another id', async (t) => {
  const dir = tempDir(t);
  const first = await withJournal(path.join(dir, 'a'), ({ id, layout }) => ({ id, layout }), 3);
  t.regex(first.id, /^[0-9a-f]{16}$/);
  t.is(first.layout.writers, 3);
  const again = await withJournal(path.join(dir, 'a'), ({ id, layout }) => ({ id, layout }), 8);
  t.deepEqual(again, first);
  t.not(await withJournal(path.join(dir, 'b'), ({ id }) => id), first.id);
});

test('a directory is taken once, also within one process, and is free after close', async (t) => {
  const dir = tempDir(t);
  await withJournal(dir, () => {
    const error = t.throws(() => openLmdb({ dir, writers: 4 }), failsWith('JOURNAL_IN_USE'));
    t.true(error?.message.includes(`process ${process.pid}`));
    t.true(error?.message.includes(dir));
  });
  await withJournal(dir, () => t.pass());
});

test('missing folders are created, dots in their names included', async (t) => {
  const dir = path.join(tempDir(t), 'not.yet', 'there', 'journal.v1.d');
  await withJournal(dir, (journal) => journal.partition(0).append(1, entryOf(1, pack({}))));
  await withJournal(dir, async (journal) => t.is((await replay(journal.partition(0))).last, 1));
});

test('a path that cannot be a directory is refused with its name and what to do', (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'file');
  writeFileSync(file, 'mine');
  for (const place of [file, path.join(file, 'journal')]) {
    const error = t.throws(() => openLmdb({ dir: place, writers: 4 }), failsWith('JOURNAL_UNUSABLE'));
    t.true(error?.message.includes(place));
    t.true(error?.message.includes('journal.dir'));
  }
});

test('a directory that holds something else is refused, as it is, and is not kept locked', (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'data.mdb');
  const foreign = [Buffer.from('short'), Buffer.alloc(100_000, 'no database'), Buffer.alloc(8192)];
  for (const bytes of foreign) {
    writeFileSync(file, bytes);
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = t.throws(() => openLmdb({ dir, writers: 4 }), failsWith('JOURNAL_UNUSABLE'));
      t.true(error?.message.includes(file));
    }
    t.deepEqual(readFileSync(file), bytes);
  }
  const locked = path.join(dir, 'other');
  mkdirSync(path.join(locked, 'lock'), { recursive: true });
  t.throws(() => openLmdb({ dir: locked, writers: 4 }), failsWith('JOURNAL_UNUSABLE'));
});

test('a directory in which a process died before it wrote anything is as good as new', async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, 'data.mdb'), '');
  writeFileSync(path.join(dir, 'lock'), '1\n');
  await withJournal(dir, (journal) => journal.partition(0).append(1, entryOf(1, pack({}))));
  await withJournal(dir, async (journal) => t.is((await replay(journal.partition(0))).last, 1));
});

test('a journal of another format is refused and left as it is', async (t) => {
  const dir = tempDir(t);
  await withJournal(dir, (journal) => journal.partition(0).append(1, entryOf(1, pack({}))));
  const setFormat = async (format: number) => {
    const environment = open({ path: dir, noSubdir: false, maxDbs: 8 });
    await environment.openDB({ name: 'meta', encoding: 'json' }).put('format', format);
    await environment.close();
  };
  await setFormat(999);
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = t.throws(() => openLmdb({ dir, writers: 4 }), failsWith('JOURNAL_VERSION'));
    t.true(error?.message.includes('999'));
  }
  await setFormat(1);
  await withJournal(dir, async (journal) => t.is((await replay(journal.partition(0))).last, 1));
});

test('after close nothing is appended any more, and nobody is told it was', async (t) => {
  const dir = tempDir(t);
  const journal = openLmdb({ dir, writers: 1 });
  const partition = journal.partition(0);
  await partition.append(1, entryOf(1, pack({})));
  await journal.close();
  await t.throwsAsync(partition.append(2, entryOf(2, pack({}))), failsWith('JOURNAL_UNUSABLE'));
  await withJournal(dir, async (again) => t.is((await replay(again.partition(0))).last, 1));
});

/** A partition whose commits fail as lmdb's do, as often as `failures` says. */
function failing(failures: number[]) {
  const stored: number[] = [];
  const states = journalStates();
  const events = {
    put: async (key: number[]) => {
      const left = failures[0] ?? 0;
      if (left > 0) {
        failures[0] = left - 1;
        const commitError = Promise.reject(new Error(`no space for ${key[2]}`));
        throw Object.assign(new Error('Commit failed (see commitError for details)'), { commitError });
      }
      failures.shift();
      stored.push(key[2]!);
    },
  };
  const reserve = {
    bytesToStore: () => 0,
    bytesToRemove: () => 0,
    commit: (_bytes: number, put: () => Promise<unknown>) => commit(put),
    displacement: () => undefined,
  };
  const commits = new Commits(reserve, states.events);
  const shared = {
    tables: { events, heads: { get: () => undefined } },
    commits,
    deadLetters: { size: 0 },
    scratches: new Scratches(),
  };
  const partition = new LmdbPartition(shared as unknown as Shared, 1, 0);
  return { partition, stored, commits, ...states };
}

test('an append whose commit fails is tried again in place until it is durable; faults and recovery are told', async (t) => {
  const { partition, stored, told, synced } = failing([0, 2, 0, 1]);
  for (let sequence = 1; sequence <= 4; sequence++)
    await partition.append(sequence, entryOf(sequence, pack({})));
  t.deepEqual(stored, [1, 2, 3, 4]);
  t.deepEqual(told, ['no space for 2', 'ok', 'no space for 4', 'ok']);
  t.is(synced(), 4);
  t.is(partition.sinceSnapshot.events, 4);
});

test('an append that cannot be made durable is given up when the journal is closed', async (t) => {
  const { partition, stored, commits } = failing([1_000_000]);
  const append = partition.append(1, entryOf(1, pack({})));
  commits.close();
  await t.throwsAsync(append, failsWith('JOURNAL_UNUSABLE'));
  t.deepEqual(stored, []);
  t.is(partition.sinceSnapshot.events, 0);
});

test("senders' addresses keep their numbers over restarts", async (t) => {
  const dir = tempDir(t);
  const addresses = Array.from({ length: 50 }, (_, index) => `10.0.${index % 7}.${index}`);
  const numbers = await withJournal(dir, ({ peers }) => {
    const given = addresses.map((address) => peers.number(address));
    t.deepEqual(
      addresses.map((address) => peers.number(address)),
      given,
    );
    t.is(new Set(given).size, addresses.length);
    t.true(given.every((number) => number > 0));
    return given;
  });
  await withJournal(dir, ({ peers }) => {
    // Asked in another order, and with newcomers in between.
    const newcomer = peers.number('::1');
    t.false(numbers.includes(newcomer));
    for (const [index, address] of [...addresses.entries()].reverse()) {
      t.is(peers.number(address), numbers[index]!);
      t.is(peers.address(numbers[index]!), address);
    }
    t.is(peers.address(newcomer), '::1');
    t.is(peers.address(0), 'unknown');
    t.is(peers.address(1_000_000), 'unknown');
  });
});

test('an address is on disk no later than the first record that carries its number', async (t) => {
  const dir = tempDir(t);
  await withJournal(dir, async (journal) => {
    const number = journal.peers.number('10.9.8.7');
    await journal.partition(0).append(1, entryOf(1, pack({})));
    // Looked at from outside, before anything is closed.
    const environment = open({ path: dir, noSubdir: false, maxDbs: 8, readOnly: true });
    t.is(environment.openDB({ name: 'peers', encoding: 'string' }).get(number), '10.9.8.7');
    await environment.close();
  });
});
