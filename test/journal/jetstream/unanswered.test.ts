import test from 'ava';
import { until } from '../../../src/testing/until.js';
import { startProxy } from '../../../tools/shared/proxy.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { afterNumbered, numbered } from '../numbered.js';
import { journalStates } from '../opened.js';
import { replay } from '../replay.js';
import { Appending, sorted, tableOf } from './appending.js';
import { freshName, type Opening, openReplicated } from './journals.js';

const ROUNDS = 12;
/** After so many a client of NATS gives up, unless told otherwise. */
const ATTEMPTS_BY_DEFAULT = 10;
const BOUND = { boundMs: 60_000 };

let cluster: NatsCluster;
test.before(async () => {
  // One server: there is no other way than through the proxy.
  cluster = await NatsCluster.start({ servers: 1 });
});
test.after.always(() => cluster?.destroy());

/** A journal whose only way to the server can be broken. */
async function behindProxy(t: Parameters<typeof openReplicated>[0], options: Opening = {}) {
  const proxy = await startProxy(Number(cluster.servers[0]!.split(':')[1]));
  t.teardown(() => proxy.close());
  const name = freshName();
  const servers = [`127.0.0.1:${proxy.port}`];
  const journal = await openReplicated(t, cluster, {
    cluster: name,
    servers,
    replicas: 1,
    writers: 1,
    ...options,
  });
  const reopened = () => openReplicated(t, cluster, { cluster: name, replicas: 1 });
  return { proxy, journal, reopened };
}

test('an append whose answer is lost is taken for what it is, one’s own, and is there once', async (t) => {
  const { proxy, journal, reopened } = await behindProxy(t);
  const partition = journal.partition(0);
  await replay(partition);
  await partition.append(1, numbered(1));
  proxy.mute();
  const appended = partition.append(2, numbered(2));
  const other = await reopened();
  const isThere = async () => (await other.survey(0, () => {})).lastSequence === 2;
  await until(isThere, { ...BOUND, what: 'the record, which nobody has confirmed' });
  proxy.cut();
  await appended;
  await partition.append(3, numbered(3));
  const { records, pending } = await replay(other.partition(0));
  t.deepEqual(
    records.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  t.is(pending.keys, afterNumbered(3).size);
});

test('answers that are lost again and again, of appends, snapshots and purges: nothing is lost or twice there', async (t) => {
  const { proxy, journal, reopened } = await behindProxy(t);
  const appending = new Appending(journal.partition(0));
  await appending.start();
  for (let round = 0; round < ROUNDS; round++) {
    const { acknowledged, snapshots } = appending;
    const isOn = () =>
      appending.acknowledged > acknowledged + 10 * round &&
      (round % 3 > 0 || appending.snapshots > snapshots);
    await until(isOn, { ...BOUND, what: 'appends and snapshots' });
    proxy.mute();
    await new Promise((resolve) => setTimeout(resolve, 3 * round));
    proxy.cut();
  }
  await appending.stop();
  const other = await reopened();
  const found = await replay(other.partition(0));
  t.is(found.last, appending.acknowledged);
  t.deepEqual(tableOf(found), sorted(afterNumbered(found.last)));
  t.deepEqual(
    found.records.map(({ sequence }) => sequence),
    Array.from({ length: found.last - found.base }, (_, at) => found.base + 1 + at),
  );
  t.deepEqual((await other.survey(0, () => {})).problems, []);
  t.is(other.quarantined, 0);
});

test('a server that is away for long is tried for ever; what was to be appended is, once, and everything is said', async (t) => {
  const { events, told } = journalStates();
  const { proxy, journal, reopened } = await behindProxy(t, { events });
  const partition = journal.partition(0);
  await replay(partition);
  await partition.append(1, numbered(1));
  proxy.refuses = true;
  proxy.cut();
  const appended = partition.append(2, numbered(2));
  await until(() => proxy.refused > ATTEMPTS_BY_DEFAULT, { ...BOUND, what: 'attempts to connect' });
  t.regex(told.join(), /^no connection to any NATS server of 127\.0\.0\.1:\d+$/);
  proxy.refuses = false;
  await appended;
  t.is(told.at(-1), 'ok');
  const { records } = await replay((await reopened()).partition(0));
  t.deepEqual(
    records.map(({ sequence }) => sequence),
    [1, 2],
  );
});
