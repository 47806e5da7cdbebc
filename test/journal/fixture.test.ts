import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { JournalReader, Peers } from '../../src/journal/contract.js';
import { openJournal, readJournal } from '../../src/journal/open.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { type Row, SINCE, TAG, unpackRow, WORDS_PER_ROW } from '../../src/model/row.js';
import { NO_EVENTS } from '../../src/observe/events.js';
import { runCli } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';
import { all, deadLettersOf } from './opened.js';
import { entryOf, replay } from './replay.js';

/** What was put into the journal when it was made; see `test/fixtures/make-journal-1.ts`. */
interface Expected {
  readonly format: number;
  readonly id: string;
  readonly writers: number;
  readonly peers: readonly string[];
  readonly partitions: readonly {
    readonly batchId: number;
    readonly lastSequence: number;
    readonly pending: readonly (Row & { readonly peer: string; readonly since: number })[];
  }[];
  readonly deadLetters: readonly DeadLetter[];
  readonly quarantine: readonly {
    readonly partition: number;
    readonly sequence: number;
    readonly error: string;
    readonly rows: readonly (Row & { readonly peer: string })[] | null;
  }[];
}

const FIXTURE = new URL('../../../test/fixtures/journal-1/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', FIXTURE), 'utf8')) as Expected;

/** A copy of the journal that an earlier version has left. */
function left(t: ExecutionContext): string {
  const dir = path.join(tempDir(t), 'journal');
  mkdirSync(dir);
  writeFileSync(path.join(dir, 'data.mdb'), gunzipSync(readFileSync(new URL('data.mdb.gz', FIXTURE))));
  return dir;
}

const rowAt = (words: Int32Array, at: number, peers: Peers) => ({
  ...unpackRow(words, at),
  peer: peers.address(words[at + TAG]! >>> 1),
});
const byKey = (a: Row, b: Row) => a.modid - b.modid;

test('a journal of format 1 that the first version left is opened: what is pending, dead and in quarantine is what was put in', async (t) => {
  const dir = left(t);
  const open = () => openJournal({ dir, writers: expected.writers, events: NO_EVENTS });
  let journal = await open();
  t.is(journal.id, expected.id);
  t.is(journal.layout.writers, expected.writers);
  for (const [index, { pending: wanted, batchId, lastSequence }] of expected.partitions.entries()) {
    const { pending, ...found } = await replay(journal.partition(index));
    t.deepEqual([found.batchId, found.last], [batchId, lastSequence]);
    const words = pending.copySlots(0, pending.slotEnd);
    const rows = Array.from({ length: pending.keys }, (_, row) => ({
      ...rowAt(words, row * WORDS_PER_ROW, journal.peers),
      since: words[row * WORDS_PER_ROW + SINCE]! >>> 0,
    }));
    t.deepEqual(rows.toSorted(byKey), wanted.toSorted(byKey));
  }
  t.deepEqual(await deadLettersOf(journal), expected.deadLetters);
  t.is(journal.quarantined, expected.quarantine.length);
  // And goes on from there.
  const partition = journal.partition(0);
  const { last, pending } = await replay(partition);
  await partition.append(
    last + 1,
    entryOf(
      3,
      Int32Array.from({ length: WORDS_PER_ROW }, () => 4),
    ),
  );
  await journal.close();
  journal = await open();
  t.is((await replay(journal.partition(0))).pending.keys, pending.keys + 1);
  await journal.close();
});

test('the tools read it, too', async (t) => {
  const dir = left(t);
  const { code, stdout } = await runCli(['journal', 'verify', '--dir', dir]);
  t.is(code, 0);
  t.regex(
    stdout,
    /is sound: 3 partitions, 8 records, 27 pending rows, 2 dead letters, 2 records in quarantine/,
  );
  const reader = await readJournal(dir);
  t.is(reader.format, expected.format);
  t.is(reader.id, expected.id);
  t.is(reader.peerCount, expected.peers.length);
  t.deepEqual(await quarantined(reader), expected.quarantine);
  t.deepEqual(
    (await all(reader.storedDeadLetters())).map(({ deadLetter }) => deadLetter),
    expected.deadLetters,
  );
  await reader.close();
});

async function quarantined(reader: JournalReader): Promise<Expected['quarantine']> {
  const records = await all(reader.quarantine());
  return records.map(({ partition, sequence, error, record }) => ({
    ...{ partition, sequence, error },
    rows: record
      ? Array.from({ length: record.rows.length / WORDS_PER_ROW }, (_, row) =>
          rowAt(record.rows, row * WORDS_PER_ROW, reader.peers),
        )
      : null,
  }));
}
