import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Journal, PartitionJournal } from '../../../src/journal/contract.js';
import { WORDS_PER_KEY } from '../../../src/model/row.js';
import { until } from '../../../src/testing/until.js';
import { areStopped } from '../../../tools/shared/procfs.js';
import { pack } from '../../model/samples.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { afterNumbered, numbered } from '../numbered.js';
import { all, deadLettersOf } from '../opened.js';
import { entryOf, replay } from '../replay.js';
import { sorted, tableOf } from './appending.js';
import { freshName, openReplicated } from './journals.js';

const CHILD = fileURLToPath(new URL('append-child.js', import.meta.url));
const BOUND = { boundMs: 60_000 };
const never = () => false;
const keyed = (modid: number) => pack({ modid }).slice(0, WORDS_PER_KEY);
const REPLACED = { code: 'JOURNAL_UNUSABLE', message: /belongs to node b .* now, since epoch \d+/ };

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start();
});
test.after.always(() => cluster?.destroy());

/** A journal as two nodes see it. */
async function twoNodes(t: ExecutionContext): Promise<[a: Journal, b: Journal]> {
  const name = freshName();
  const a = await openReplicated(t, cluster, { cluster: name, node: 'a' });
  return [a, await openReplicated(t, cluster, { cluster: name, node: 'b' })];
}

async function appendSome(partition: PartitionJournal, from: number, to: number): Promise<void> {
  for (let sequence = from; sequence <= to; sequence++) await partition.append(sequence, numbered(sequence));
}

test('who replays a partition has it: the earlier owner appends, releases, snapshots and puts aside nothing any more, and is told whose it is', async (t) => {
  const [a, b] = await twoNodes(t);
  t.is(a.id, b.id);
  const mine = a.partition(0);
  const { pending } = await replay(mine);
  const refusals = [{ words: pack({ modid: 900 }), code: 'X', message: 'no' }];
  await mine.append(1, entryOf(1, pack({ modid: 1 }), { refusals }));
  await appendSome(mine, 2, 5);
  // Another partition stays whose it is.
  await replay(a.partition(1));

  const theirs = b.partition(0);
  t.is((await replay(theirs)).last, 5);
  // From the epoch on, before anything was appended in it.
  await t.throwsAsync(mine.append(6, numbered(6)), REPLACED);
  await t.throwsAsync(mine.release([keyed(900)]), REPLACED);
  await t.throwsAsync(mine.snapshot(5, 5, pending, never), REPLACED);
  await t.throwsAsync(mine.quarantine(3, new Error('crashed')), REPLACED);
  await appendSome(theirs, 6, 8);
  await a.partition(1).append(1, numbered(1));

  t.is((await replay(mine)).last, 8);
  await t.throwsAsync(theirs.append(9, numbered(9)), { code: 'JOURNAL_UNUSABLE', message: /node a / });
  t.deepEqual(
    (await deadLettersOf(a)).map(({ row }) => row.modid),
    [900],
  );
  t.is(a.quarantined, 0);
});

test('a snapshot that an earlier owner publishes late is refused, and removes nothing of what the new one reads', async (t) => {
  const name = freshName();
  let gate: Promise<void> | undefined;
  let isHeld = false;
  const beforeCommit = async () => {
    isHeld = gate !== undefined;
    await gate;
  };
  const a = await openReplicated(t, cluster, { cluster: name, node: 'a', faults: { beforeCommit } });
  const b = await openReplicated(t, cluster, { cluster: name, node: 'b' });
  const mine = a.partition(0);
  await replay(mine);
  await appendSome(mine, 1, 50);
  const { pending } = await replay(mine);
  let open = () => {};
  const source = {
    slotEnd: pending.slotEnd,
    copySlots: (from: number, to: number) => pending.copySlots(from, to),
  };
  let asked = 0;
  const late = mine.snapshot(50, 50, source, () => {
    // Its piece is written; its head is next.
    if (++asked === 2)
      gate = new Promise((resolve) => {
        open = resolve;
      });
    return false;
  });
  late.catch(() => {});
  await until(() => isHeld, { ...BOUND, what: 'the head to be published' });
  t.is((await replay(b.partition(0))).last, 50);
  open();
  await t.throwsAsync(late, REPLACED);
  const found = await replay(b.partition(0));
  t.deepEqual([found.base, found.last], [0, 50]);
  t.deepEqual(tableOf(found), sorted(afterNumbered(50)));
  t.is(b.quarantined, 0);
});

test('an entry of which only some parts are there is none: its owner was killed in between', async (t) => {
  const small = await NatsCluster.start({ servers: 1, maxPayload: 65_536 });
  t.teardown(() => small.destroy());
  const name = freshName();
  const open = (node: string, options: object = {}) =>
    openReplicated(t, small, { cluster: name, node, replicas: 1, writers: 1, ...options });
  let toPass = Number.POSITIVE_INFINITY;
  const beforeCommit = () => {
    if (toPass-- <= 0) throw new Error('the process is as good as killed');
  };
  const large = (succ: number) => pack(...Array.from({ length: 10_000 }, (_, modid) => ({ modid, succ })));
  const first = await open('a', { faults: { beforeCommit } });
  await replay(first.partition(0));
  await first.partition(0).append(1, entryOf(1, large(1)));
  toPass = 3;
  const cut = t.throwsAsync(first.partition(0).append(2, entryOf(2, large(2))), { code: 'JOURNAL_UNUSABLE' });
  await until(() => toPass < 0, { ...BOUND, what: 'some parts' });
  await first.close();
  await cut;

  const second = await open('b');
  const found = await replay(second.partition(0));
  t.is(found.last, 1);
  t.deepEqual(new Set(tableOf(found).values()), new Set([1]));
  await second.partition(0).append(2, entryOf(2, large(3)));
  t.true(await second.partition(0).snapshot(1, 1, found.pending, never));
  const third = await replay((await open('c')).partition(0));
  t.deepEqual([third.base, third.last, third.records.length], [1, 2, 1]);
  t.deepEqual(new Set(tableOf(third).values()), new Set([3]));
  t.deepEqual((await second.survey(0, () => {})).problems, []);
});

/** Runs the appending process until it has acknowledged so many records. */
async function startChild(t: ExecutionContext, name: string, records: number) {
  const child = spawn(process.execPath, [CHILD, name, cluster.servers.join()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const lines = () => said.split('\n').slice(0, -1);
  await until(() => Number(lines().at(-1)) > records, { ...BOUND, what: 'appends of the child' });
  return { child, closed, lines };
}

for (const round of [1, 2, 3])
  test(`what was acknowledged survives kill -9 of the owner, snapshots under way or not (${round})`, async (t) => {
    const name = freshName();
    const b = await openReplicated(t, cluster, { cluster: name, node: 'b', writers: 1 });
    const { child, closed, lines } = await startChild(t, name, 100 * round);
    child.kill('SIGKILL');
    await closed;
    const found = await replay(b.partition(0));
    t.true(found.last >= Number(lines().at(-1)), `${lines().at(-1)} was acknowledged`);
    t.deepEqual(tableOf(found), sorted(afterNumbered(found.last)));
    t.deepEqual((await b.survey(0, () => {})).problems, []);
    t.is(b.quarantined, 0);
  });

for (const round of [1, 2, 3])
  test(`an owner that is paused and wakes up writes nothing into another one’s epoch (${round})`, async (t) => {
    const name = freshName();
    const b = await openReplicated(t, cluster, { cluster: name, node: 'b', writers: 1 });
    const { child, closed, lines } = await startChild(t, name, 150 * round);
    child.kill('SIGSTOP');
    await until(() => areStopped(child.pid!), { ...BOUND, what: 'the child to stand still' });
    const before = Number(lines().at(-1));

    const partition = b.partition(0);
    const taken = await replay(partition);
    t.true(taken.last >= before, `${before} was acknowledged, the log ends with ${taken.last}`);
    t.deepEqual(tableOf(taken), sorted(afterNumbered(taken.last)));
    // Enough for the log to be purged of all that the child knows.
    for (let sequence = taken.last + 1; sequence <= taken.last + 60; sequence++) {
      const { record, refusals } = numbered(sequence);
      await partition.append(sequence, { record: { ...record, received: 77 }, refusals });
      taken.pending.confirm(record.confirmed, 0);
      taken.pending.fold(record.rows, 5);
      if (sequence === taken.last + 40)
        t.true(await partition.snapshot(sequence, sequence, taken.pending, never));
    }
    child.kill('SIGCONT');
    await closed;
    t.regex(lines().at(-1)!, /^JOURNAL_UNUSABLE: partition 0 belongs to node b/);
    t.true(Number(lines().at(-2)) <= taken.last);

    const found = await replay((await openReplicated(t, cluster, { cluster: name, node: 'c' })).partition(0));
    t.is(found.last, taken.last + 60);
    t.deepEqual(tableOf(found), sorted(afterNumbered(found.last)));
    t.true(found.records.every(({ record }) => record.received === 77));
    t.deepEqual((await b.survey(0, () => {})).problems, []);
    t.deepEqual(await all(b.deadLetters.read({})), []);
  });
