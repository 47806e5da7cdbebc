import test, { type ExecutionContext } from 'ava';
import { NO_EVENTS } from '../../src/observe/events.js';
import { StoreHealth } from '../../src/observe/store-health.js';
import type { Batch, RouterMessage } from '../../src/routing/protocol.js';
import { spawn, startSystem, stop, tell } from '../../src/runtime/actors.js';
import { MemoryStore, until } from '../../src/testing/index.js';
import { Writer } from '../../src/writer/writer.js';
import { openLmdb } from '../journal/opened.js';
import { pack } from '../model/samples.js';
import { tempDir } from '../support/temp.js';

/** A writer on a real journal; what it tells its router. */
function setUp(t: ExecutionContext) {
  const journal = openLmdb({ dir: tempDir(t), writers: 1 });
  const system = startSystem();
  t.teardown(async () => {
    stop(system);
    await journal.close();
  });
  const told: RouterMessage[] = [];
  const router = spawn<RouterMessage>(system, {
    name: 'router',
    receive: (message) => void told.push(message),
    onCrash: () => 'resume',
  });
  const store = new MemoryStore();
  const writer = new Writer(system, {
    partition: 0,
    journal: journal.partition(0),
    store: store.writer({ partition: 0, partitions: 1, journalId: journal.id }),
    health: new StoreHealth(0, NO_EVENTS),
    router,
    limits: { maxBatchRows: 10, snapshotBytes: 1_000_000, maxKeys: 1000, rewriteMs: 0, maxRemembered: 1000 },
    restarts: { recovered: () => {}, crashed: async (_, error) => t.fail(error.message) },
    events: NO_EVENTS,
  });
  const answered = (batchId: number) =>
    until(() => told.some((message) => message.kind === 'journaled' && message.batchId === batchId), {
      boundMs: 5000,
      what: `batch ${batchId} to be answered`,
    });
  return { writer, store, answered };
}

const batchOf = (id: number, host: number, isJournaled: boolean): Batch => ({
  id,
  received: 1,
  rows: pack({ ip: host }),
  credits: [],
  sinceMs: 0,
  isJournaled,
});

test('of a batch that was reported journaled nothing is taken in again, though its record may be gone', async (t) => {
  const { writer, store, answered } = setUp(t);
  // Its rows are those of somebody else by now.
  tell(writer.ref, { kind: 'batch', batch: batchOf(1, 66, true) });
  tell(writer.ref, { kind: 'batch', batch: batchOf(2, 7, false) });
  await answered(2);
  await until(() => writer.ledger().pending === 0, { boundMs: 5000, what: 'the rows to be stored' });
  t.is(writer.ledger().received, 1);
  t.deepEqual(
    [...store.rows.values()].map(({ ip }) => ip),
    [7],
  );
});

test('a batch that comes twice before anybody knows that it is journaled is taken in once', async (t) => {
  const { writer, store, answered } = setUp(t);
  for (const id of [1, 1, 2, 2, 1]) tell(writer.ref, { kind: 'batch', batch: batchOf(id, id, false) });
  tell(writer.ref, { kind: 'batch', batch: batchOf(3, 3, false) });
  await answered(3);
  await until(() => writer.ledger().pending === 0, { boundMs: 5000, what: 'the rows to be stored' });
  t.is(writer.ledger().received, 3);
  t.is(store.rows.size, 3);
});
