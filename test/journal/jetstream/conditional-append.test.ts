import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import test from 'ava';
import { until } from '../../../src/testing/until.js';
import { NatsCluster } from '../../support/nats-cluster.js';

const ROUNDS = Number(process.env['LARS_TEST_ROUNDS'] ?? 300);
const KILLS = Number(process.env['LARS_TEST_KILLS'] ?? 3);
const STREAM = 'race';
const BOUND = { boundMs: 60_000 };

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start();
});
test.after.always(() => cluster?.destroy());

/** What came of a publisher's try. */
interface Try {
  readonly value: string;
  readonly result: 'accepted' | 'refused' | 'unknown';
}

async function publish(client: NatsConnection, subject: string, value: string, last: number): Promise<Try> {
  try {
    const expect = { lastSubjectSequence: last };
    await jetstream(client, { timeout: 2000 }).publish(subject, value, { expect });
    return { value, result: 'accepted' };
  } catch (error) {
    const isRefused = (error as { code?: number }).code === 10071;
    return { value, result: isRefused ? 'refused' : 'unknown' };
  }
}

// The whole journal stands on this. Servers before 2.9.21 accept more than one.
test.serial(
  `of three appends under one condition one is accepted, ${ROUNDS} rounds, with the leader killed`,
  async (t) => {
    t.timeout(600_000);
    const clients = await Promise.all([0, 1, 2].map(() => cluster.client()));
    t.teardown(() => Promise.all(clients.map((client) => client.close())));
    const manager = await jetstreamManager(clients[0]!, { timeout: 2000 });
    await until(() => manager.streams.add({ name: STREAM, subjects: ['race.>'], num_replicas: 3 }), {
      ...BOUND,
      what: 'the stream',
    });
    const lastOf = async (subject: string) =>
      await until(
        async () => ({ message: await manager.streams.getMessage(STREAM, { last_by_subj: subject }) }),
        {
          ...BOUND,
          what: 'the last message',
        },
      );
    const values: string[] = [];
    let last = 0;
    let unknown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const isStruck = round % Math.ceil(ROUNDS / KILLS) === 10;
      const leader = isStruck ? await cluster.leaderOf(clients[0]!, STREAM) : 0;
      const tries = clients.map((client, index) => publish(client, 'race.p', `${round}.${index}`, last));
      if (isStruck) await cluster.kill9(leader);
      const results = await Promise.all(tries);
      unknown += results.filter(({ result }) => result === 'unknown').length;
      // Nobody may have been answered: then it is tried until somebody is.
      const { message } = await until(
        async () => {
          const found = await lastOf('race.p');
          if (found.message && found.message.seq > last) return found;
          await publish(clients[0]!, 'race.p', `${round}.again`, last);
          return undefined;
        },
        { ...BOUND, what: 'an append' },
      );
      const accepted = results.filter(({ result }) => result === 'accepted');
      t.true(accepted.length <= 1, `round ${round}: ${JSON.stringify(results)}`);
      const value = message!.string();
      if (accepted.length === 1) t.is(value, accepted[0]!.value, `round ${round}`);
      values.push(value);
      last = message!.seq;
      if (isStruck) {
        cluster.start(leader);
        await cluster.ready();
      }
    }
    // Asked of the leader one by one: a consumer may be on a server that has not caught up, and end early.
    const found: string[] = [];
    for (let seq = 1; seq <= last; seq++) {
      const get = async () => ({ message: await manager.streams.getMessage(STREAM, { seq }) });
      const { message } = await until(get, { ...BOUND, what: `message ${seq}` });
      if (message) found.push(message.string());
    }
    t.deepEqual(found, values);
    t.log(`${unknown} of ${3 * ROUNDS} tries were not answered`);
  },
);

test.serial(
  'a subject that was purged empty has 0 as its last sequence: whoever expected 0 before may append again',
  async (t) => {
    const client = await cluster.client();
    t.teardown(() => client.close());
    const manager = await jetstreamManager(client, { timeout: 5000 });
    const add = () => manager.streams.add({ name: 'purged', subjects: ['purged.>'], num_replicas: 3 });
    await until(add, { ...BOUND, what: 'the stream' });
    t.is((await publish(client, 'purged.p', 'first', 0)).result, 'accepted');
    t.is((await publish(client, 'purged.p', 'late', 0)).result, 'refused');
    await manager.streams.purge('purged', { filter: 'purged.p' });
    t.is((await publish(client, 'purged.p', 'late', 0)).result, 'accepted');
    // One message that is left keeps the condition: that is why the journal never purges its last one.
    const { seq } = (await manager.streams.getMessage('purged', { last_by_subj: 'purged.p' }))!;
    t.is((await publish(client, 'purged.p', 'next', seq)).result, 'accepted');
    await manager.streams.purge('purged', { filter: 'purged.p', seq: seq + 1 });
    t.is((await publish(client, 'purged.p', 'late', 0)).result, 'refused');
  },
);
