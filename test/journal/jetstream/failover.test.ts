import test, { type ExecutionContext } from 'ava';
import type { Journal } from '../../../src/journal/contract.js';
import { until } from '../../../src/testing/until.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { afterNumbered } from '../numbered.js';
import { journalStates } from '../opened.js';
import { replay } from '../replay.js';
import { Appending, sorted, tableOf } from './appending.js';
import { freshName, openReplicated } from './journals.js';

const WRITERS = 4;
const BOUND = { boundMs: 60_000 };

async function startCluster(t: ExecutionContext): Promise<NatsCluster> {
  const cluster = await NatsCluster.start();
  t.teardown(() => cluster.destroy());
  return cluster;
}

async function appendToAll(journal: Journal): Promise<Appending[]> {
  const appending = Array.from({ length: WRITERS }, (_, index) => new Appending(journal.partition(index)));
  await Promise.all(appending.map((one) => one.start()));
  return appending;
}

/** Waits until each partition has appended some more. Gives the milliseconds that took. */
async function progress(appending: readonly Appending[], records = 20): Promise<number> {
  const before = appending.map(({ acknowledged }) => acknowledged);
  const startedMs = performance.now();
  await until(() => appending.every(({ acknowledged }, index) => acknowledged >= before[index]! + records), {
    ...BOUND,
    what: 'appends to all partitions',
  });
  return Math.round(performance.now() - startedMs);
}

/** Stops, opens the journal as another process would, and compares it with what was acknowledged. */
async function checkAll(
  t: ExecutionContext,
  cluster: NatsCluster,
  name: string,
  appending: readonly Appending[],
): Promise<void> {
  await Promise.all(appending.map((one) => one.stop()));
  const journal = await openReplicated(t, cluster, { cluster: name, node: 'b' });
  for (const [index, { acknowledged }] of appending.entries()) {
    const found = await replay(journal.partition(index));
    t.is(found.last, acknowledged);
    t.deepEqual(
      found.records.map(({ sequence }) => sequence),
      Array.from({ length: found.last - found.base }, (_, at) => found.base + 1 + at),
    );
    t.deepEqual(tableOf(found), sorted(afterNumbered(acknowledged)));
    t.deepEqual((await journal.survey(index, () => {})).problems, []);
  }
  t.is(journal.quarantined, 0);
}

test.serial(
  'kill -9 of the leader of a stream, again and again, then of all servers: nothing acknowledged is lost or twice there, and it goes on by itself',
  async (t) => {
    t.timeout(180_000);
    const cluster = await startCluster(t);
    const name = freshName();
    const { events, told } = journalStates();
    const journal = await openReplicated(t, cluster, { cluster: name, writers: WRITERS, streams: 2, events });
    const client = await cluster.client();
    t.teardown(() => client.close());
    const appending = await appendToAll(journal);
    await progress(appending);
    for (const stream of [0, 1]) {
      const leader = await cluster.leaderOf(client, `lars-${name}-${stream}`);
      await cluster.kill9(leader);
      t.log(`${await progress(appending)} ms without the leader of stream ${stream}`);
      cluster.start(leader);
      await cluster.ready();
    }
    const all = cluster.running;
    await Promise.all(all.map((index) => cluster.kill9(index)));
    for (const index of all) cluster.start(index);
    t.log(`${await progress(appending)} ms after all servers were killed`);
    await until(() => told.at(-1) === 'ok', { ...BOUND, what: 'the journal to say that it can be written' });
    t.true(told.length > 1);
    t.true(appending.every(({ snapshots }) => snapshots > 0));
    await checkAll(t, cluster, name, appending);
  },
);

test.serial(
  'a server that is lost for ever, with its disk: nothing is lost, and appends and openings go on',
  async (t) => {
    const cluster = await startCluster(t);
    const name = freshName();
    const journal = await openReplicated(t, cluster, { cluster: name, writers: WRITERS, streams: 2 });
    const client = await cluster.client();
    t.teardown(() => client.close());
    const appending = await appendToAll(journal);
    await progress(appending);
    await cluster.lose(await cluster.leaderOf(client, `lars-${name}-0`));
    t.log(`${await progress(appending)} ms`);
    await checkAll(t, cluster, name, appending);
  },
);

test.serial(
  'a leader that stands still, and wakes up when there is another one: nothing is lost or twice there',
  async (t) => {
    const cluster = await startCluster(t);
    const name = freshName();
    const journal = await openReplicated(t, cluster, { cluster: name, writers: WRITERS, streams: 1 });
    const client = await cluster.client();
    t.teardown(() => client.close());
    const appending = await appendToAll(journal);
    await progress(appending);
    const leader = await cluster.leaderOf(client, `lars-${name}-0`);
    cluster.pause(leader);
    t.log(`${await progress(appending)} ms`);
    cluster.resume(leader);
    await progress(appending);
    await checkAll(t, cluster, name, appending);
  },
);
