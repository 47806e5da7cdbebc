import type { ExecutionContext } from 'ava';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { type EventSink, NO_EVENTS } from '../../src/observe/events.js';
import { StoreHealth } from '../../src/observe/store-health.js';
import { spawnRouter } from '../../src/routing/router.js';
import { startSystem, stop } from '../../src/runtime/actors.js';
import type { FaultyStore } from '../../src/testing/index.js';
import type { StepHook } from '../../src/writer/steps.js';
import { Writer } from '../../src/writer/writer.js';
import { openLmdb } from '../journal/opened.js';
import { pack } from '../model/samples.js';

export const MAX_KEYS = 20;

export interface Site {
  readonly dir: string;
  readonly store: FaultyStore;
  readonly atStep?: StepHook;
}

/** A router and a writer that may hold 20 keys, on a real journal. */
export function startSite(t: ExecutionContext, { dir, store, atStep }: Site, maxKeys = MAX_KEYS) {
  const journal = openLmdb({ dir, writers: 1 });
  const system = startSystem();
  const full: boolean[] = [];
  const events: EventSink = {
    emit: (event) => {
      if (event.type === 'writer-full') full.push(event.isFull);
    },
  };
  const router = spawnRouter(system, { writers: 1, groupMs: 0, events: NO_EVENTS });
  const writer = new Writer(system, {
    partition: 0,
    journal: journal.partition(0),
    store: store.writer({ partition: 0, partitions: 1, journalId: journal.id }),
    health: new StoreHealth(0, NO_EVENTS),
    router: router.ref,
    limits: { maxBatchRows: 10, snapshotBytes: 100_000, maxKeys, rewriteMs: 0, maxRemembered: 1000 },
    restarts: { recovered: () => {}, crashed: async () => {} },
    events,
    atStep,
  });
  router.connect(0, writer.ref);
  let journaled = 0;
  /** Leaves rows of these hosts with the router; each is one batch, or part of one. */
  const send = (hosts: readonly number[], value: number) => {
    const buffer = new RowBuffer(hosts.length);
    for (const ip of hosts) buffer.append(pack({ ip, succ: value, ts: value }), 0, 10);
    router.inbox.offer(buffer.rows(), { outstanding: 0, isAwaited: false, settled: () => journaled++ });
  };
  const end = async () => {
    await writer.end();
    stop(system);
    await journal.close();
  };
  t.teardown(() => end().catch(() => {}));
  return { writer, router, send, end, full, journaled: () => journaled };
}
