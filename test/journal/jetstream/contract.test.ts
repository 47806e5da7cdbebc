import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { ReplicatedJournal } from '../../../src/journal/jetstream/replicated-journal.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { testJournalContract } from '../contract.js';
import { freshName } from './journals.js';

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start();
});
test.after.always(() => cluster?.destroy());

testJournalContract({
  name: 'jetstream',
  hasRelayout: false,
  // A new journal takes a second: its streams elect their leaders.
  runs: 10,
  fresh: (t) => {
    const name = freshName();
    t.teardown(async () => {
      const client = await cluster.client();
      const { streams } = await jetstreamManager(client);
      for (const index of [0, 1]) await streams.delete(`lars-${name}-${index}`).catch(() => false);
      await client.close();
    });
    return (options) =>
      ReplicatedJournal.open({ servers: cluster.servers, cluster: name, node: 'a', streams: 2, ...options });
  },
});
