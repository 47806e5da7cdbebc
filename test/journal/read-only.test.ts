import { execFile } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';
import { openLmdb, readLmdb } from './opened.js';
import { entryOf } from './replay.js';

const CHILD = fileURLToPath(new URL('read-child.js', import.meta.url));

/** A journal of three records, in a folder that everybody can get to. */
async function journalOf(t: ExecutionContext): Promise<string> {
  const above = tempDir(t);
  chmodSync(above, 0o755);
  const dir = path.join(above, 'journal');
  const journal = openLmdb({ dir, writers: 1 });
  for (const sequence of [1, 2, 3])
    await journal.partition(0).append(sequence, entryOf(sequence, pack({ modid: sequence })));
  await journal.close();
  return dir;
}

function copyOf(dir: string): string {
  const copy = `${dir}-copy`;
  mkdirSync(copy);
  copyFileSync(path.join(dir, 'data.mdb'), path.join(copy, 'data.mdb'));
  return copy;
}

const readAsNobody = async (dir: string) =>
  (await promisify(execFile)(process.execPath, [CHILD, dir])).stdout;

test('a copy of a journal without its lock files is read, and none are made', async (t) => {
  const copy = copyOf(await journalOf(t));
  const reader = readLmdb(copy);
  let records = 0;
  await reader.survey(0, ({ kind }) => {
    if (kind === 'record') records++;
  });
  await reader.close();
  t.is(records, 3);
  t.deepEqual(readdirSync(copy), ['data.mdb']);
});

test('a journal is read by whoever may read it, in a folder that takes no files', async (t) => {
  const dir = await journalOf(t);
  for (const name of readdirSync(dir)) chmodSync(path.join(dir, name), 0o444);
  chmodSync(dir, 0o555);
  t.teardown(() => chmodSync(dir, 0o755));
  t.is(await readAsNobody(dir), '3 records');
});

test('a running reporter is noticed by those who may not write its lock', async (t) => {
  const dir = await journalOf(t);
  const journal = openLmdb({ dir, writers: 1 });
  for (const name of readdirSync(dir)) chmodSync(path.join(dir, name), 0o444);
  t.regex(await readAsNobody(dir), new RegExp(`^JOURNAL_IN_USE: .* by process ${process.pid}`));
  await journal.close();
});

if (process.getuid?.() === 0)
  test("lock files that root's tools must make belong to the journal's owner", async (t) => {
    const copy = copyOf(await journalOf(t));
    chownSync(path.join(copy, 'data.mdb'), 65_534, 65_534);
    await openLmdb({ dir: copy, writers: 1 }).close();
    for (const name of ['data.mdb', 'lock', 'lock.mdb'])
      t.is(statSync(path.join(copy, name)).uid, 65_534, name);
  });
