import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import type { PartitionJournal } from '../../../src/journal/contract.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { afterNumbered, numbered } from '../numbered.js';
import { replay } from '../replay.js';
import { sorted, tableOf } from './appending.js';
import { freshName, openReplicated } from './journals.js';

const RECORDS = 50_000;
const BASE = 500;

let cluster: NatsCluster;
test.before(async () => {
  // One server: fifty thousand appends, one after the other, take a minute on three.
  cluster = await NatsCluster.start({ servers: 1 });
});
test.after.always(() => cluster?.destroy());

/** Appends as many at a time as a queue takes: each waits for the one before. */
async function fill(partition: PartitionJournal, from: number, to: number): Promise<void> {
  for (let sequence = from; sequence <= to; sequence += 1000) {
    const end = Math.min(to, sequence + 999);
    await Promise.all(
      Array.from({ length: end - sequence + 1 }, (_, at) =>
        partition.append(sequence + at, numbered(sequence + at)),
      ),
    );
  }
}

test(`${RECORDS} records behind a snapshot are replayed in order, some others between them`, async (t) => {
  t.timeout(170_000);
  const name = freshName();
  const journal = await openReplicated(t, cluster, { cluster: name, streams: 1, replicas: 1 });
  const partition = journal.partition(0);
  const { pending } = await replay(partition);
  await fill(partition, 1, BASE);
  const table = await replay(partition);
  t.is(pending.keys, 0);
  t.true(await partition.snapshot(BASE, BASE, table.pending, () => false));
  let startedMs = performance.now();
  const other = journal.partition(1);
  await replay(other);
  await Promise.all([fill(partition, BASE + 1, BASE + RECORDS), fill(other, 1, 500)]);
  t.log(`${Math.round(RECORDS / ((performance.now() - startedMs) / 1000))} appends/s, one after the other`);

  startedMs = performance.now();
  const found = await replay((await openReplicated(t, cluster, { cluster: name, replicas: 1 })).partition(0));
  t.log(`${Math.round(performance.now() - startedMs)} ms`);
  t.deepEqual([found.base, found.last, found.records.length], [BASE, BASE + RECORDS, RECORDS]);
  t.true(found.records.every(({ sequence }, at) => sequence === BASE + 1 + at));
  t.deepEqual(tableOf(found), sorted(afterNumbered(BASE + RECORDS)));

  // A snapshot frees all of it, but for the last message: see conditional-append.test.ts.
  const client = await cluster.client();
  t.teardown(() => client.close());
  const last = BASE + RECORDS;
  await t.throwsAsync(
    partition.snapshot(last, last, found.pending, () => false),
    { code: 'JOURNAL_UNUSABLE' },
  );
  await replay(partition);
  t.true(await partition.snapshot(last, last, found.pending, () => false));
  const { streams } = await jetstreamManager(client);
  const { state } = await streams.info(`lars-${name}-0`, { subjects_filter: `lars.${name}.0.*.0` });
  t.is(state.subjects?.[`lars.${name}.0.head.0`], 1);
  t.is(state.subjects?.[`lars.${name}.0.pieces.0`], 1);
  const log = state.subjects?.[`lars.${name}.0.log.0`] ?? 0;
  t.true(log >= 1 && log <= 3, `${log} messages of the log are left`);
  t.is((await replay(partition)).base, last);
});
