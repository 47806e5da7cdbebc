import test from 'ava';
import fc from 'fast-check';
import { ReplicatedJournal } from '../../../src/journal/jetstream/replicated-journal.js';
import { NO_EVENTS } from '../../../src/observe/events.js';
import { NatsCluster } from '../../support/nats-cluster.js';
import { commonCommands } from '../commands.js';
import { JournalModel } from '../model.js';
import { Site } from '../site.js';
import { freshName } from './journals.js';

const RUNS = Number(process.env['LARS_TEST_RUNS'] ?? 25);
const WRITERS = 2;

/** Repeats a run; a failure prints its seed. */
const repeated = process.env['LARS_TEST_SEED'] ? { seed: Number(process.env['LARS_TEST_SEED']) } : {};

let cluster: NatsCluster;
test.before(async () => {
  cluster = await NatsCluster.start();
});
test.after.always(() => cluster?.destroy());

test('whatever is appended, confirmed, refused, snapshot, torn, put aside or cut off by a crash or failing servers: replay comes to what a plain map holds', async (t) => {
  t.timeout(60_000 + 6000 * RUNS);
  let commands = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands(commonCommands, { maxCommands: 40, size: 'max' }), async (run) => {
      const name = freshName();
      const site = new Site((writers, faults) =>
        ReplicatedJournal.open({
          ...{ servers: cluster.servers, cluster: name, node: 'a', writers, streams: 1 },
          ...{ events: NO_EVENTS, faults },
        }),
      );
      const model = new JournalModel(WRITERS);
      try {
        await site.open(WRITERS);
        await site.replayAll(model);
        await fc.asyncModelRun(() => ({ model, real: site }), run);
        site.disk.heal();
        await site.journal.close();
        await site.open(model.partitions.length);
        await site.replayAll(model);
        commands += [...run].length;
      } finally {
        await site.journal.close();
      }
    }),
    { numRuns: RUNS, includeErrorInReport: true, ...repeated },
  );
  t.true(commands > RUNS);
});
