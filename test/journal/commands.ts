import assert from 'node:assert/strict';
import fc, { type AsyncCommand } from 'fast-check';
import { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import { moveToPartitions } from '../../src/partition/relayout.js';
import { type Change, type Entry, expectedBatch, type JournalModel, KEYS } from './model.js';
import { expectedContents, type Site } from './site.js';

type Command = AsyncCommand<JournalModel, Site>;

/** A command that can always be run, and how it shows in a counterexample. */
function command(name: string, run: (model: JournalModel, site: Site) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

const someKeys = fc.uniqueArray(fc.nat(KEYS.length - 1), { maxLength: 4 });
const anyChange: fc.Arbitrary<Change> = fc.record({ rows: someKeys, confirmed: someKeys, refused: someKeys });
const text = (value: unknown) => JSON.stringify(value);

/** Appends an entry and applies it, as a writer does, on both sides. */
async function append(model: JournalModel, site: Site, partition: number, entry: Entry): Promise<void> {
  const batchId = expectedBatch(model.partitions[partition]!, entry);
  const record = site.entryOf(entry, batchId);
  await site.partitions[partition]!.append(model.partitions[partition]!.sequence + 1, record);
  site.apply(partition, record);
  model.appended(partition, entry, batchId);
}

/** A change is appended; the disk fails so many times first. */
const appends = fc.tuple(anyChange, fc.constantFrom(0, 0, 0, 0, 1, 2)).map(([change, failures]) =>
  command(`append(${text(change)}, ${failures} failures)`, async (model, site) => {
    for (const [partition, entry] of model.entriesOf(change)) {
      site.disk.fail(failures);
      await append(model, site, partition, entry);
    }
  }),
);

/** What is stored next is stored torn. */
const tears = fc
  .record({
    how: fc.constantFrom('cut' as const, 'flip' as const),
    kind: fc.constantFrom('record' as const, 'piece' as const),
  })
  .map((tear) =>
    command(`tear(${text(tear)})`, async (model, site) => {
      site.disk.tear(tear);
      model.toTear[tear.kind]++;
    }),
  );

/**
 * A snapshot of a partition; a record is appended between its pieces and its publication, if one is given, and it is
 * given up when it has asked so many times whether it should be.
 */
const snapshots = fc
  .record({
    of: fc.nat(5),
    meddle: fc.option(anyChange),
    isBefore: fc.boolean(),
    givenUpAt: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1, 2),
  })
  .map(({ of, meddle, isBefore, givenUpAt }) =>
    command(`snapshot(${of}, ${text(meddle)}, ${isBefore}, ${givenUpAt})`, async (model, site) => {
      const index = of % site.partitions.length;
      const expected = model.partitions[index]!;
      const pending = site.pendings[index]!;
      const { sequence, batchId } = expected;
      let meddled: Promise<void> | undefined;
      const entry = meddle ? model.entriesOf(meddle).get(index) : undefined;
      const change = () => {
        if (!entry || meddled) return;
        // On its way to the disk while the snapshot is, too; it can only be applied, and seen, once it is there.
        meddled = append(model, site, index, entry);
      };
      let held = new Map(expected.live);
      let isTorn = false;
      let asked = 0;
      const isPublished = await site.partitions[index]!.snapshot(
        sequence,
        batchId,
        {
          get slotEnd() {
            return pending.slotEnd;
          },
          copySlots: (from, to) => {
            if (isBefore) change();
            const rows = pending.copySlots(from, to);
            held = new Map(expected.live);
            if (rows.length > 0) isTorn = model.tears('piece');
            change();
            return rows;
          },
        },
        () => ++asked >= givenUpAt,
      );
      await meddled;
      if (givenUpAt === Number.POSITIVE_INFINITY)
        assert.ok(isPublished, 'a snapshot that nobody gives up is published');
      if (isPublished && sequence > expected.baseSequence)
        expected.published(sequence, batchId, held, isTorn);
      assert.deepEqual(
        site.content(index),
        expectedContents(expected.live),
        'a snapshot changes nothing in memory',
      );
    }),
  );

/** A writer crashes and is rebuilt. */
const restarts = fc.nat(5).map((of) =>
  command(`restart(${of})`, async (model, site) => {
    const index = of % site.partitions.length;
    model.quarantined += model.partitions[index]!.replayed();
    await site.replay(index, model);
  }),
);

async function reopen(model: JournalModel, site: Site): Promise<void> {
  await site.journal.close();
  await site.open(model.partitions.length);
  await site.replayAll(model);
}

const reopens = fc.constant(command('reopen', reopen));

/** The process ends while records are on their way: of each partition those are there that came first. */
const crashes = fc.array(anyChange, { minLength: 1, maxLength: 4 }).map((changes) => ({
  ...command(`crash(${text(changes)})`, async (model, site) => {
    const appended: {
      partition: number;
      entry: Entry;
      batchId: number;
      sequence: number;
      isDurable: boolean;
    }[] = [];
    const settled: Promise<void>[] = [];
    const next = model.partitions.map(({ sequence, batchId }) => ({ sequence, batchId }));
    for (const change of changes) {
      for (const [partition, entry] of model.entriesOf(change)) {
        const at = next[partition]!;
        const one = { partition, entry, batchId: ++at.batchId, sequence: ++at.sequence, isDurable: false };
        appended.push(one);
        const promise = site.partitions[partition]!.append(one.sequence, site.entryOf(entry, one.batchId));
        settled.push(
          promise.then(
            () => {
              one.isDurable = true;
            },
            (error: { code?: string }) => assert.equal(error.code, 'JOURNAL_UNUSABLE'),
          ),
        );
      }
    }
    await Promise.all([site.journal.close(), ...settled]);
    await site.open(model.partitions.length);
    const found = new Set<string>();
    for (const [index, partition] of site.partitions.entries())
      for await (const { sequence, event } of partition.replay())
        if (event.kind === 'record') found.add(`${index} ${sequence}`);
    let gone = new Set<number>();
    for (const { partition, entry, batchId, sequence, isDurable } of appended) {
      const isThere = found.has(`${partition} ${sequence}`);
      assert.ok(isThere || !isDurable, `record ${sequence} of partition ${partition} was acknowledged`);
      assert.ok(
        !isThere || !gone.has(partition),
        `record ${sequence} of partition ${partition} is not the first`,
      );
      if (isThere) model.appended(partition, entry, batchId);
      else gone = gone.add(partition);
    }
    await site.replayAll(model);
  }),
  // What would be stored torn is not known here: which records are stored is not.
  check: ({ toTear }: Readonly<JournalModel>) => toTear.record === 0,
}));

/** The process ends while the disk is full: what was not acknowledged is not there. */
const fullDisks = anyChange.map((change) => ({
  ...command(`crash on a full disk(${text(change)})`, async (model: JournalModel, site: Site) => {
    site.disk.fill();
    const waiting = [...model.entriesOf(change)].map(([partition, entry]) =>
      assert.rejects(
        site.partitions[partition]!.append(model.partitions[partition]!.sequence + 1, site.entryOf(entry, 1)),
        { code: 'JOURNAL_UNUSABLE' },
      ),
    );
    await site.journal.close();
    await Promise.all(waiting);
    site.disk.makeRoom();
    await site.open(model.partitions.length);
    await site.replayAll(model);
  }),
  check: ({ toTear }: Readonly<JournalModel>) => toTear.record === 0,
}));

/** A start with another number of writers. */
const relayouts = fc.integer({ min: 1, max: 4 }).map((writers) =>
  command(`relayout(${writers})`, async (model, site) => {
    await site.journal.close();
    await site.open(writers);
    if (writers !== model.partitions.length) {
      model.replayed();
      await moveToPartitions(site.journal, writers);
      model.moved(writers);
      site.takePartitions();
    }
    await site.replayAll(model);
  }),
);

/** As before, on a disk that fails at one of the commits: it is the old layout or the new one, and nothing is lost. */
const failedRelayouts = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(12)).map(([writers, after]) =>
  command(`relayout(${writers}) on a disk that fails at commit ${after}`, async (model, site) => {
    await site.journal.close();
    await site.open(writers);
    if (writers !== model.partitions.length) {
      model.replayed();
      // What is torn goes into quarantine first, which waits for the disk instead of giving up.
      for (const partition of site.partitions) for await (const _ of partition.replay());
      site.disk.fail(1, { after });
      await moveToPartitions(site.journal, writers).catch((error: { code?: string }) =>
        assert.equal(error.code, 'JOURNAL_UNUSABLE'),
      );
      site.disk.heal();
      model.toTear.record = 0;
      model.toTear.piece = 0;
      await site.journal.close();
      await site.open(writers);
      assert.ok([writers, model.partitions.length].includes(site.journal.layout.writers));
      if (site.journal.layout.writers === writers) model.moved(writers);
    }
    await site.replayAll(model);
  }),
);

/** A record on which its writer crashes is taken out of the way. */
const quarantines = fc.tuple(fc.nat(5), fc.nat(8)).map(([of, which]) =>
  command(`quarantine(${of}, ${which})`, async (model, site) => {
    const index = of % site.partitions.length;
    const expected = model.partitions[index]!;
    const sequence = expected.baseSequence + 1 + which;
    await site.partitions[index]!.quarantine(sequence, new Error('cannot be applied'));
    if (expected.quarantined(sequence)) model.quarantined++;
    model.quarantined += expected.replayed();
    await site.replay(index, model);
  }),
);

/** What a start does, in the middle of it. */
const tidies = fc.constant(
  command('tidy', async (_, { journal }) => {
    if (journal instanceof LmdbJournal) await journal.tidy();
  }),
);

/** Those of an engine whose partitions are fixed. */
export const commonCommands = [
  appends,
  appends,
  appends,
  tears,
  snapshots,
  snapshots,
  restarts,
  reopens,
  crashes,
  fullDisks,
  quarantines,
];

export const allCommands = [...commonCommands, relayouts, failedRelayouts, tidies];
