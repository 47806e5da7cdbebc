import { jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import { NatsCluster } from '../../support/nats-cluster.js';
import { afterNumbered, numbered } from '../numbered.js';
import { journalStates } from '../opened.js';
import { replay } from '../replay.js';
import { sorted, tableOf } from './appending.js';
import { freshName, openReplicated } from './journals.js';

const never = () => false;

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start({ servers: 1 });
});
test.after.always(() => cluster?.destroy());

/** A journal of ten records, and what an operator can do to its stream. */
async function setUp(t: ExecutionContext) {
  const name = freshName();
  const { events, told } = journalStates();
  const open = () => openReplicated(t, cluster, { cluster: name, replicas: 1, streams: 1, events });
  const journal = await open();
  const partition = journal.partition(0);
  await replay(partition);
  for (let sequence = 1; sequence <= 10; sequence++) await partition.append(sequence, numbered(sequence));
  const client = await cluster.client();
  t.teardown(() => client.close());
  const { streams } = await jetstreamManager(client);
  const subject = (what: string) => `lars.${name}.0.${what}.0`;
  const stream = `lars-${name}-0`;
  const lastOf = async (what: string) =>
    (await streams.getMessage(stream, { last_by_subj: subject(what) }))!.seq;
  const purge = (what: string, before: number) =>
    streams.purge(stream, { filter: subject(what), seq: before });
  return { journal, partition, told, open, client, subject, lastOf, purge };
}

test('records that somebody has removed are missed, once; the others are replayed', async (t) => {
  const { open, told, lastOf, purge, journal } = await setUp(t);
  await purge('log', (await lastOf('log')) - 4);
  t.is((await journal.survey(0, () => {})).problems.length, 1);
  for (let time = 0; time < 2; time++) {
    const again = await open();
    const { records, last } = await replay(again.partition(0));
    t.deepEqual(
      records.map(({ sequence }) => sequence),
      [6, 7, 8, 9, 10],
    );
    t.is(last, 10);
    t.is(again.quarantined, 1);
    t.deepEqual(told, ['0 1 ReporterError']);
  }
});

test('pieces of a snapshot that somebody has removed are missed, once; the records behind it are replayed', async (t) => {
  const { open, told, lastOf, purge, partition } = await setUp(t);
  const { pending } = await replay(partition);
  t.true(await partition.snapshot(8, 8, pending, never));
  await purge('pieces', (await lastOf('pieces')) + 1);
  for (let time = 0; time < 2; time++) {
    const again = await open();
    t.like(await again.survey(0, () => {}), { lastSequence: 10, snapshot: { pieces: 1, rows: 0 } });
    const { records, base } = await replay(again.partition(0));
    t.deepEqual([base, records.length], [8, 2]);
    t.deepEqual(told, ['0 8 ReporterError']);
  }
});

test('a log that somebody has emptied is said, instead of another owner, and goes on after the next opening', async (t) => {
  t.timeout(60_000);
  const { open, lastOf, purge, partition } = await setUp(t);
  const { pending } = await replay(partition);
  t.true(await partition.snapshot(10, 10, pending, never));
  await purge('log', (await lastOf('log')) + 1);
  await t.throwsAsync(partition.append(11, numbered(11)), {
    code: 'JOURNAL_UNUSABLE',
    message: /ends at 0, and \d+ was confirmed: the servers have lost, or somebody has removed/,
  });
  const found = (await open()).partition(0);
  const { last, pending: after } = await replay(found);
  t.is(last, 10);
  t.deepEqual([...after.copySlots(0, after.slotEnd)], [...pending.copySlots(0, pending.slotEnd)]);
  await found.append(11, numbered(11));
  t.deepEqual(tableOf(await replay(found)), sorted(afterNumbered(11)));
});

test('a message that no journal has written is said, with its stream', async (t) => {
  const { partition, client, subject, open } = await setUp(t);
  await client.request(subject('log'), 'hello');
  const message = /lars-t\d+-\d+-0, .* has no label of a journal: somebody else wrote it/;
  await t.throwsAsync(partition.append(11, numbered(11)), { code: 'JOURNAL_CORRUPT', message });
  await t.throwsAsync(replay((await open()).partition(0)), { code: 'JOURNAL_CORRUPT', message });
});
