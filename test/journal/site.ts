import assert from 'node:assert/strict';
import type { Journal, PartitionJournal } from '../../src/journal/contract.js';
import type { JournalFaults } from '../../src/journal/faults.js';
import type { JournalEntry } from '../../src/journal/record.js';
import { WORDS_PER_KEY } from '../../src/model/row.js';
import { PendingRows } from '../../src/partition/pending.js';
import { FaultyDisk } from '../../src/testing/index.js';
import { contentOf, pack } from '../model/samples.js';
import { type Entry, type JournalModel, KEYS, keyName } from './model.js';
import { deadLettersOf, openLmdb } from './opened.js';
import { entryOf, replay } from './replay.js';

const rowOf = (key: number, succ: number) => pack({ ...KEYS[key]!, succ });
const rowsOf = (values: ReadonlyMap<number, number>) =>
  pack(...[...values].map(([key, succ]) => ({ ...KEYS[key]!, succ })));
const keysOf = (keys: readonly number[]) =>
  Int32Array.from(keys.flatMap((key) => [...rowOf(key, 0).subarray(0, WORDS_PER_KEY)]));

/** Opens a journal as a start does, before any replay. */
export type OpenJournal = (writers: number, faults: JournalFaults) => Promise<Journal>;

/** As a start does with a journal of lmdb. */
export const lmdbIn =
  (dir: string): OpenJournal =>
  async (writers, faults) => {
    const journal = openLmdb({ dir, writers, faults });
    await journal.tidy();
    return journal;
  };

/** A real journal on a disk that fails as it is told, and what its writers hold in memory. */
export class Site {
  readonly disk = new FaultyDisk();
  journal!: Journal;
  partitions: PartitionJournal[] = [];
  pendings: PendingRows[] = [];
  readonly #open: OpenJournal;

  constructor(open: OpenJournal) {
    this.#open = open;
  }

  async open(writers: number): Promise<void> {
    this.journal = await this.#open(writers, this.disk.faults);
    this.takePartitions();
  }

  /** To be called when the layout may be another one. */
  takePartitions(): void {
    const { writers } = this.journal.layout;
    this.partitions = Array.from({ length: writers }, (_, index) => this.journal.partition(index));
    this.pendings = this.partitions.map(() => new PendingRows());
  }

  /** What the model calls an entry, as a writer hands it over. */
  entryOf(entry: Entry, batchId: number): JournalEntry {
    return entryOf(batchId, rowsOf(entry.rows), {
      confirmed: keysOf(entry.confirmed),
      refused: keysOf([...entry.refused.keys()]),
      refusals: [...entry.refused].map(([key, value]) => ({
        words: rowOf(key, value),
        code: 'ER_REFUSED',
        message: 'no',
      })),
    });
  }

  /** Applies to memory what is in the journal. */
  apply(partition: number, { record }: JournalEntry): void {
    const pending = this.pendings[partition]!;
    pending.confirm(record.confirmed, 0);
    pending.confirm(record.refused, 0);
    pending.fold(record.rows, 5);
  }

  /** Rebuilds a writer from the journal, and compares what it comes to with the model, which has replayed, too. */
  async replay(index: number, model: JournalModel): Promise<void> {
    const partition = this.partitions[index]!;
    const expected = model.partitions[index]!;
    const { pending, base, last, batchId, records } = await replay(partition);
    assert.deepEqual(contents(pending), expectedContents(expected.live), `partition ${index} replays to`);
    assert.deepEqual(
      { base, last, batchId, events: records.map(({ sequence }) => sequence) },
      {
        base: expected.baseSequence,
        last: expected.sequence,
        batchId: expected.batchId,
        events: expected.events.map(({ sequence }) => sequence),
      },
      `partition ${index}`,
    );
    assert.equal(partition.sinceSnapshot.events, expected.events.length);
    this.pendings[index] = pending;
  }

  /** Rebuilds all writers, and compares all else the journal says with the model. */
  async replayAll(model: JournalModel): Promise<void> {
    model.replayed();
    assert.equal(this.partitions.length, model.partitions.length);
    for (const index of this.partitions.keys()) await this.replay(index, model);
    assert.equal(this.journal.quarantined, model.quarantined, 'records in quarantine');
    const letters = (await deadLettersOf(this.journal)).map(
      ({ row, count }) =>
        `${keyName(KEYS.findIndex((key) => key.modid === row.modid && key.cmdid === row.cmdid))}: ${row.succ} × ${count}`,
    );
    const expected = [...model.letters].map(
      ([key, { value, count }]) => `${keyName(key)}: ${value} × ${count}`,
    );
    assert.deepEqual(letters.toSorted(), expected.toSorted(), 'dead letters');
  }

  /** What is pending in memory. */
  content(partition: number): Map<string, string> {
    return contents(this.pendings[partition]!);
  }
}

function contents(pending: PendingRows): Map<string, string> {
  return new Map([...contentOf(pending.copySlots(0, pending.slotEnd))].toSorted());
}

export function expectedContents(values: ReadonlyMap<number, number>): Map<string, string> {
  return new Map([...contentOf(rowsOf(values))].toSorted());
}
