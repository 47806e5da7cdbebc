import test from 'ava';
import { ReplicatedJournal } from '../../../src/journal/jetstream/replicated-journal.js';
import { NO_EVENTS } from '../../../src/observe/events.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { commonCommands } from '../commands.js';
import { checkAgainstModel } from '../model-check.js';
import { Site } from '../site.js';
import { freshName } from './journals.js';

const RUNS = Number(process.env['LARS_TEST_RUNS'] ?? 25);

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start();
});
test.after.always(() => cluster?.destroy());

test('whatever is appended, confirmed, refused, snapshot, torn, put aside or cut off by a crash or failing servers: replay comes to what a plain map holds', async (t) => {
  t.timeout(60_000 + 6000 * RUNS);
  const commands = await checkAgainstModel(commonCommands, RUNS, () => {
    const name = freshName();
    const site = new Site((writers, faults) =>
      ReplicatedJournal.open({
        ...{ servers: cluster.servers, cluster: name, node: 'a', writers, streams: 1 },
        ...{ events: NO_EVENTS, faults },
      }),
    );
    return { site };
  });
  t.true(commands > RUNS);
});
