import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkDataFile } from '../../src/lmdb/data-file.js';
import { pageEnd } from '../../src/lmdb/data-tree.js';
import { readMeta } from '../../src/lmdb/meta.js';
import { ReporterError } from '../../src/model/errors.js';
import { WORDS_PER_ROW } from '../../src/model/row.js';
import { runCli, startServe } from '../../tools/shared/process.js';
import { dumpJournal } from '../journal/dump.js';
import { openLmdb, readLmdb } from '../journal/opened.js';
import { entryOf, replay } from '../journal/replay.js';
import { tempDir } from '../support/temp.js';

const RECORDS = 400;
const NOTHING_PENDING = { slotEnd: 0, copySlots: () => new Int32Array(0) };

const rowsOf = (count: number) => new Int32Array(count * WORDS_PER_ROW);
const dataFile = (dir: string) => path.join(dir, 'data.mdb');

/** A journal of records of 96 bytes to 4 KB, whose last pages are free; and how long its file is and must be. */
async function journalWithFreeEnd(t: ExecutionContext) {
  const dir = path.join(tempDir(t), 'journal');
  const journal = openLmdb({ dir, writers: 2 });
  const [kept, gone] = [journal.partition(0), journal.partition(1)];
  for (let sequence = 1; sequence <= RECORDS - 10; sequence++)
    await kept.append(sequence, entryOf(sequence, rowsOf(1 + (sequence % 100))));
  await gone.append(1, entryOf(1, rowsOf(15_000)));
  await gone.snapshot(1, 1, NOTHING_PENDING, () => false);
  // Pages of the trees are copied into what has become free.
  for (let sequence = RECORDS - 9; sequence <= RECORDS; sequence++)
    await kept.append(sequence, entryOf(sequence, rowsOf(1 + (sequence % 100))));
  await journal.close();
  const fd = openSync(dataFile(dir), 'r');
  const meta = readMeta(fd)!;
  const end = pageEnd(fd, meta);
  closeSync(fd);
  return { dir, ...meta, end };
}

/** A copy of the journal whose data file has so many bytes. */
function cutTo(t: ExecutionContext, dir: string, bytes: number): string {
  const copy = path.join(tempDir(t), 'journal');
  mkdirSync(copy);
  copyFileSync(dataFile(dir), dataFile(copy));
  truncateSync(dataFile(copy), bytes);
  return copy;
}

test('a journal that is cut off anywhere is refused by serve and by the tools, as it is, and ends no process', async (t) => {
  const { dir, pageBytes, usedBytes, end } = await journalWithFreeEnd(t);
  const places = [3 * pageBytes, Math.floor(end / 3), Math.floor(end / 2) + 100, end - pageBytes, end - 1];
  for (const bytes of places) {
    const cut = cutTo(t, dir, bytes);
    const said = `is cut off: it has ${bytes} bytes instead of ${usedBytes}`;
    const error = t.throws(() => openLmdb({ dir: cut, writers: 2 }), { instanceOf: ReporterError });
    t.is(error?.code, 'JOURNAL_UNUSABLE');
    t.true(error?.message.includes(said), error?.message);
    t.regex(error?.message ?? '', /set journal\.dir to another directory, or bring back a copy/);
    t.throws(() => readLmdb(cut), { code: 'JOURNAL_UNUSABLE' });
    t.is(readFileSync(dataFile(cut)).length, bytes);
  }
  const cut = cutTo(t, dir, Math.floor(end / 2));
  for (const tool of ['inspect', 'verify', 'export']) {
    const { code, stderr } = await runCli(['journal', tool, '--dir', cut]);
    t.is(code, 1);
    t.regex(stderr, /^error: the journal .* cannot be read \(.*is cut off: it has \d+ bytes instead of \d+/);
  }
  const env = { LARS_JOURNAL_DIR: cut, LARS_LISTEN_PORT: '0', LARS_ADMIN_PORT: '0' };
  const error = await t.throwsAsync(startServe([], { cwd: tempDir(t), env }));
  t.regex(error?.message ?? '', /ended with code 1 before it was ready: .*is cut off/s);
});

test('a journal with a damaged page of a tree is refused, with the page, and ends no process', async (t) => {
  const { dir, pageBytes, usedBytes } = await journalWithFreeEnd(t);
  const bytes = readFileSync(dataFile(dir));
  let refused = 0;
  for (let number = 2; number < usedBytes / pageBytes; number++) {
    const at = number * pageBytes;
    const isTreePage =
      Number(bytes.readBigUInt64LE(at)) === number && (bytes.readUInt16LE(at + 18) & 3) !== 0;
    if (!isTreePage) continue;
    for (const noise of [0, 0xa5]) {
      const copy = cutTo(t, dir, 0);
      writeFileSync(dataFile(copy), Buffer.from(bytes).fill(noise, at, at + pageBytes));
      try {
        const journal = openLmdb({ dir: copy, writers: 2 });
        // A page that is free, and was one of a tree before.
        t.is((await replay(journal.partition(0))).records.length, RECORDS);
        await journal.close();
      } catch (error) {
        refused++;
        t.is((error as ReporterError).code, 'JOURNAL_UNUSABLE');
        t.true((error as ReporterError).message.includes(`is damaged: page ${number} `), String(error));
      }
    }
  }
  t.true(refused >= 6, `${refused} were refused`);
});

test('a journal of which free pages alone are missing is as good as before', async (t) => {
  const { dir, usedBytes, end } = await journalWithFreeEnd(t);
  t.true(end < usedBytes - 500_000, 'its last pages are free');
  const before = await dumpJournal(dir);
  for (const bytes of [end, usedBytes]) {
    const cut = cutTo(t, dir, bytes);
    t.deepEqual(await dumpJournal(cut), before);
    t.is((await runCli(['journal', 'verify', '--dir', cut])).code, 0);
    const journal = openLmdb({ dir: cut, writers: 2 });
    const partition = journal.partition(0);
    const { records, last } = await replay(partition);
    t.is(records.length, RECORDS);
    await partition.append(last + 1, entryOf(last + 1, rowsOf(5000)));
    await journal.close();
  }
});

for (const mode of ['cut off', 'sound'] as const) {
  test(`a journal whose newest meta record is lost is judged by the older one, as lmdb does (${mode})`, async (t) => {
    const { dir, pageBytes, end } = await journalWithFreeEnd(t);
    const bytes = readFileSync(dataFile(dir));
    // Transaction 0 is older than any.
    bytes.fill(0, pageBytes, 2 * pageBytes);
    const copy = cutTo(t, dir, 0);
    const isCut = mode === 'cut off';
    writeFileSync(dataFile(copy), isCut ? bytes.subarray(0, Math.floor(end / 2)) : bytes);
    if (isCut) {
      t.throws(() => checkDataFile(dataFile(copy)), { message: /is cut off/ });
      return;
    }
    const journal = openLmdb({ dir: copy, writers: 2 });
    t.is((await replay(journal.partition(0))).records.length, RECORDS);
    await journal.close();
  });
}
