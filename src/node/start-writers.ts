import { randomBytes } from 'node:crypto';
import type { Config } from '../config/index.js';
import type { Journal, PartitionJournal } from '../journal/contract.js';
import { evenSecond } from '../model/clock.js';
import { ReporterError } from '../model/errors.js';
import { memoryBytes } from '../model/memory.js';
import type { RowFeed } from '../model/row-feed.js';
import type { WriterStatus } from '../model/status.js';
import { until } from '../model/wait.js';
import { StoreHealth } from '../observe/store-health.js';
import { totalLedger } from '../partition/counts.js';
import { type Router, spawnRouter } from '../routing/router.js';
import { type ActorTree, isRunning, spawnTree, startSystem, stop } from '../runtime/actors.js';
import type { Store, StoreWriter } from '../store/contract.js';
import { Supervisor } from '../writer/supervisor.js';
import { Writer } from '../writer/writer.js';
import type { Foundation } from './foundation.js';

/** What a partition consists of. */
export interface Lane {
  readonly writer: Writer;
  readonly store: StoreWriter;
  readonly journal: PartitionJournal;
  readonly health: StoreHealth;
}

export interface Writers {
  /** The actor all others live under. */
  readonly tree: ActorTree;
  readonly router: Router;
  readonly lanes: readonly Lane[];
}

/** Who follows what becomes of batches. */
export interface Followers {
  readonly feed: RowFeed;
  /** See `WriterOptions`. */
  readonly isFollowed?: (() => boolean) | undefined;
}

/**
 * Spawns router, supervisor and writers. Resolves when each writer has replayed its journal. Rejects with ReporterError
 * JOURNAL_UNUSABLE when one crashes at it again and again, with REPORTER_STOPPED when the host's parent stops, and with
 * the reason of the host's signal.
 */
export async function startWriters(
  foundation: Foundation,
  journal: Journal,
  store: Store,
  followers: Followers,
): Promise<Writers> {
  const { config, options, events, status, teardown } = foundation;
  const partitions = config.writers.count;
  const lanes: Lane[] = [];
  teardown.add("the store's writers", () => Promise.all(lanes.map((lane) => lane.store.close())));
  const tree = plantTree(foundation);
  const root = tree.ref;
  const { groupMs } = config.journal;
  const router = spawnRouter(root, { writers: partitions, groupMs, events });
  const supervisor = new Supervisor(root, { writers: partitions, limits: config.supervision, events });
  teardown.add('the writers', async () => {
    const ended = Promise.all(lanes.map(({ writer }) => writer.end()));
    supervisor.stop();
    await ended;
  });
  for (let partition = 0; partition < partitions; partition++)
    lanes.push(startLane(foundation, { partition, journal, store, router, supervisor, followers }));
  status.add({ writers: () => lanes.map((lane, partition) => statusOf(lane, partition, supervisor)) });
  // An account that was unlocked, a server that is there again: all know when one knows.
  events.subscribe((event) => {
    if (event.type !== 'store-state' || event.state !== 'ok') return;
    for (const [partition, { writer }] of lanes.entries()) if (partition !== event.partition) writer.hurry();
  });
  const isGivenUp = () => options.signal?.aborted || !tree.isReachable();
  await until(() => supervisor.allRecovered || supervisor.hopeless !== undefined || isGivenUp());
  options.signal?.throwIfAborted();
  if (!tree.isReachable()) throw new ReporterError('REPORTER_STOPPED', ORPHANED);
  if (supervisor.hopeless !== undefined) throw neverRecovers(supervisor.hopeless, supervisor);
  const { recovered } = totalLedger(lanes.map(({ writer }) => writer.ledger()));
  if (recovered > 0) events.emit({ type: 'rows-recovered', rows: recovered });
  return { tree, router, lanes };
}

const ORPHANED =
  'the actor or system of the host, under which the reporter was to start, has stopped, or is of another copy of nact ' +
  'than the one that lars-reporter has (npm ls nact)';

function neverRecovers(partition: number, supervisor: Supervisor): ReporterError {
  const { restarts, lastCrash } = supervisor.writer(partition);
  return new ReporterError(
    'JOURNAL_UNUSABLE',
    `writer ${partition} cannot be rebuilt from its journal, after ${restarts} attempts: ${lastCrash}. ` +
      'Nothing was changed; lars-reporter journal says what it holds',
  );
}

/** The actor all others live under, in the host's system or in one of our own. */
function plantTree({ options, teardown }: Foundation): ActorTree {
  if (options.system && !isRunning(options.system)) throw new ReporterError('REPORTER_STOPPED', ORPHANED);
  const ownSystem = options.system ? undefined : startSystem();
  const tree = spawnTree(options.system ?? ownSystem!, `lars-reporter-${randomBytes(4).toString('hex')}`);
  teardown.add('the actors', () => {
    tree.stop();
    if (ownSystem) stop(ownSystem);
  });
  return tree;
}

/** Keys, over all writers, that are remembered after they were stored: those of half a second at 260,000 rows/s. */
const MAX_REMEMBERED = 131_072;
/** Of a pending key, at most: its row, its place in the tables, and as much again while these grow. */
const BYTES_PER_KEY = 200;
/** The journal's pages, buffers and the view need the rest. */
const SHARE_OF_MEMORY = 0.4;

/** Distinct keys that may be pending, over all writers: as configured, else by the memory there is. */
export function maxPendingKeys({ maxPendingKeys }: Config['writers']): number {
  return maxPendingKeys ?? Math.floor((memoryBytes() * SHARE_OF_MEMORY) / BYTES_PER_KEY);
}

interface LaneParts {
  readonly partition: number;
  readonly journal: Journal;
  readonly store: Store;
  readonly router: Router;
  readonly supervisor: Supervisor;
  readonly followers: Followers;
}

function startLane({ config, options, events }: Foundation, parts: LaneParts): Lane {
  const { partition, journal, store, router, supervisor, followers } = parts;
  const lane = {
    store: store.writer({ partition, partitions: config.writers.count, journalId: journal.id }),
    journal: journal.partition(partition),
    health: new StoreHealth(partition, events),
  };
  // Each has a share that the others cannot use up.
  const maxKeys = Math.floor(maxPendingKeys(config.writers) / config.writers.count);
  const writer = new Writer(supervisor.ref, {
    ...lane,
    ...{ partition, events, router: router.ref, restarts: supervisor, atStep: options.atStep },
    ...followers,
    limits: {
      ...config.writers,
      ...config.journal,
      maxKeys,
      maxRemembered: MAX_REMEMBERED / config.writers.count,
    },
  });
  router.connect(partition, writer.ref);
  return { ...lane, writer };
}

function statusOf(
  { writer, journal, health }: Lane,
  partition: number,
  supervisor: Supervisor,
): WriterStatus {
  const { state, restarts, lastCrash } = supervisor.writer(partition);
  const since = writer.oldestSince();
  return {
    ...{ partition, state, restarts },
    ...(lastCrash === undefined ? {} : { lastCrash }),
    store: health.state,
    ledger: writer.ledger(),
    oldestPendingSeconds: since === undefined ? 0 : evenSecond() - since,
    full: writer.isFull,
    remembered: writer.remembered,
    journalBytes: journal.bytes,
  };
}
