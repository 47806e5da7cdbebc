import { randomBytes } from 'node:crypto';
import { deadLetterRoutes } from './admin/dead-letters.js';
import { startAdmin } from './admin/http.js';
import { type Config, type ConfigInput, parseConfig } from './config/index.js';
import { InflightBudget } from './intake/budget.js';
import type { Connection } from './intake/connection.js';
import { type Handlers, HandlerTable } from './intake/handlers.js';
import { type IngressMessage, spawnIngress } from './intake/ingress.js';
import { Listener } from './intake/listener.js';
import type { JournalFaults } from './journal/faults.js';
import { Journal } from './journal/lmdb/journal.js';
import type { PartitionJournal } from './journal/lmdb/partition.js';
import { type DeadLetterDesk, DeadLetterError, NOTHING_DONE } from './model/dead-letter.js';
import { messageOf, StoreError } from './model/errors.js';
import type { Logger } from './model/log.js';
import type { Report } from './model/report.js';
import { RowBufferPool } from './model/row-buffer.js';
import type { Address, Ledger, ReporterStatus } from './model/status.js';
import { Teardown } from './model/teardown.js';
import { Traffic } from './model/traffic.js';
import { quiet, until } from './model/wait.js';
import { Complaints } from './observe/complaints.js';
import { Metrics } from './observe/metrics.js';
import { StoreWatch } from './observe/store-state.js';
import { Counts, totalLedger } from './partition/counts.js';
import { settleEach } from './partition/dead-letters.js';
import { moveToPartitions } from './partition/relayout.js';
import { spawnRouter } from './routing/router.js';
import { type ActorRef, type ParentRef, spawn, startSystem, stop, tell } from './runtime/actors.js';
import type { Store, StoreWriter } from './store/contract.js';
import type { MysqlStoreEvent } from './store/mysql/store.js';
import { openStore } from './store/open.js';
import { ReportDecoder } from './wire/messages.js';
import { askWriter } from './writer/ask.js';
import type { StepHook } from './writer/steps.js';
import { Supervisor } from './writer/supervisor.js';
import { spawnWriter, type Writer } from './writer/writer.js';

/** What the log says of a session that is in a writer's way. */
const STORE_EVENTS: Readonly<Record<MysqlStoreEvent['type'], string>> = {
  'session-killed': 'an earlier session still held a partition and was killed',
  'commit-awaited':
    'a session hangs in its commit and is waited for, not killed: the database cannot write, most often because ' +
    'its disk is full; make room there',
  'journal-shared':
    'another reporter works with this journal or a copy of it and took a partition over; stop one of the two, or ' +
    'give one a journal.dir of its own',
};

export interface ReporterOptions {
  /** A nact system, or an actor, of the host to live under. Its persistence engine, if any, stays its own. */
  readonly system?: ParentRef;
  /** Takes the place of the store `store.url` names. The reporter opens and closes it. */
  readonly store?: Store;
  /** Who takes frames of other message ids, so that a larger node serves them on the same port. */
  readonly handlers?: Handlers;
  /** Where the reporter says what happens; silent without. */
  readonly logger?: Logger;
  /** Fault injection: called at each step of a writer's life; what it throws crashes that writer there. */
  readonly atStep?: StepHook;
  /** Fault injection: a disk under the journal that fills, fails, or stores records torn. */
  readonly journalFaults?: JournalFaults;
}

export interface Reporter {
  /** Where agents connect. */
  readonly address: Address;
  /** Where the admin HTTP is served; null when it is not. */
  readonly admin: Address | null;
  /** Takes reports from inside the process, dispatched by nact: a report, or `{ reports, journaled }`. */
  readonly ref: ActorRef<IngressMessage>;
  /**
   * Takes reports from inside the process. Resolves when all of them are on disk; reports that are not valid are
   * refused, counted and said. Whoever waits before sending more keeps memory bounded.
   */
  report(...reports: readonly Report[]): Promise<void>;
  status(): ReporterStatus;
  /** The conservation equation over all writers, at this moment. */
  ledger(): Ledger;
  /**
   * Takes no new connections, reads what agents have already sent, closes their connections, and waits until the
   * store holds everything, all within `shutdown.drainMs`. `pending` rows could not be stored, and stay in the journal;
   * `unjournaled` rows were taken and could not even be journaled, because the journal cannot be written: they go with
   * the process, unless it can be written again before `stop`.
   */
  drain(): Promise<{ readonly drained: boolean; readonly pending: number; readonly unjournaled: number }>;
  /** Ends everything at once but in order; what is pending stays in the journal. Idempotent. */
  stop(): Promise<void>;
}

/** The host's logger, whose failures are its own. */
function unfailing(logger: Logger): Logger {
  const guarded = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nobody left to tell.
    }
  };
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') };
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Agents that have been silent for so long have nothing more on the way, as far as a drain can tell. */
const QUIET_MS = 60;
/** Agents that never pause are read this long by a drain. */
const LONGEST_READ_MS = 1000;
/** A stop waits this long for what was read to be journaled. */
const STOP_JOURNAL_MS = 1000;

/**
 * Starts a reporter: opens the store and the journal, lets the writers recover, and listens.
 *
 * `config` is validated first; keys that are left out have their defaults, relative paths resolve against the
 * working directory. Rejects with ReporterError (CONFIG_INVALID, JOURNAL_*, LISTEN_FAILED) or with a StoreError of
 * class `configuration`; nothing is left running then. A store that is only away is no reason to reject.
 */
export async function startReporter(
  config: ConfigInput | Config,
  options: ReporterOptions = {},
): Promise<Reporter> {
  const settings = parseConfig(config, { baseDir: process.cwd() });
  const logger = unfailing(options.logger ?? SILENT);
  const teardown = new Teardown();
  const onError = (what: string, error: unknown) =>
    logger.error({ error: messageOf(error) }, `${what} could not be ended in good order`);
  try {
    return await assemble(settings, config.admin !== undefined, { ...options, logger }, teardown, () =>
      teardown.run(onError),
    );
  } catch (error) {
    await teardown.run(onError);
    throw error;
  }
}

/** What a partition consists of. */
interface Lane {
  readonly writer: Writer;
  readonly storeWriter: StoreWriter;
  readonly journal: PartitionJournal;
}

async function assemble(
  config: Config,
  isAdminAsked: boolean,
  options: ReporterOptions & { readonly logger: Logger },
  teardown: Teardown,
  end: () => Promise<void>,
): Promise<Reporter> {
  const { logger } = options;
  const traffic = new Traffic();
  const complaints = new Complaints(logger);
  const handlers = new HandlerTable(options.handlers ?? {}, traffic, complaints);
  let state: ReporterStatus['state'] = 'running';
  let currentStatus: (() => ReporterStatus) | undefined;
  let letterDesk: DeadLetterDesk | undefined;

  // 0. Admin HTTP: first, so that whoever asks can see that the rest is starting.
  const metrics = new Metrics({ writers: config.writers.count, source: () => currentStatus?.() });
  const admin = await startAdmin({
    ...{ host: config.admin.host, port: config.admin.port },
    ...(config.admin.token === undefined ? {} : { token: config.admin.token }),
    ...{ status: () => currentStatus?.(), metrics, logger },
    routes: deadLetterRoutes(() => letterDesk),
  }).catch((error: unknown) => {
    // An embedder that said nothing about it can do without it; who asked for it cannot.
    if (isAdminAsked) throw error;
    logger.warn({ error: messageOf(error) }, 'the admin HTTP is not served');
    return undefined;
  });
  if (admin) {
    teardown.add('the admin HTTP', () => admin.close());
    logger.info({ ...admin.address }, 'serving the admin HTTP');
  }

  // 1. Journal: taken first, so that a second process is turned away before it touches the store.
  let journalError: string | undefined;
  const journal = Journal.open({
    dir: config.journal.dir,
    writers: config.writers.count,
    onFault: (error) => {
      if (error && !journalError)
        logger.error({ error: error.message }, 'the journal cannot be written; agents wait');
      if (!error && journalError) logger.info({}, 'the journal can be written again');
      journalError = error?.message;
    },
    onSync: (seconds) => metrics.synced(seconds),
    faults: options.journalFaults,
    onQuarantine: (partition, sequence, error) =>
      logger.error({ partition, sequence, error: error.message }, 'a journal record was put into quarantine'),
  });
  teardown.add('the journal', async () => {
    await journal.close();
    state = 'stopped';
  });
  await journal.tidy();
  if (journal.layout.writers !== config.writers.count) {
    const from = journal.layout.writers;
    const rows = await moveToPartitions(journal, config.writers.count);
    logger.info(
      { from, to: config.writers.count, rows },
      'writers.count has changed; pending rows were moved',
    );
  }

  // 2. Store: refused when it can never work, tolerated when it is away.
  const store =
    options.store ??
    openStore(config.store.url, {
      ...config.store,
      onEvent: ({ type, ...fields }) => logger.warn({ event: type, ...fields }, STORE_EVENTS[type]),
    });
  teardown.add('the store', () => store.close());
  try {
    await store.open();
    logger.info({ store: store.description }, 'the store is ready');
  } catch (error) {
    if (!(error instanceof StoreError) || error.class === 'configuration') throw error;
    logger.warn(
      { store: store.description, error: error.message },
      'the store is away; reports are journaled meanwhile',
    );
  }

  // 3. Actors: router, then writers, each of which replays its journal and reports to the router.
  const ownSystem = options.system ? undefined : startSystem();
  const root = spawn<never>(options.system ?? ownSystem!, {
    name: `lars-reporter-${randomBytes(4).toString('hex')}`,
    receive: () => {},
    onCrash: () => 'resume',
  });
  const count = config.writers.count;
  const router = spawnRouter(root, count, (error) =>
    logger.error({ error }, 'the router failed on rows of a sender, or a sender on its receipt'),
  );
  const stores = Array.from({ length: count }, () => new StoreWatch(logger));
  const supervisor = new Supervisor(root, {
    writers: count,
    limits: config.supervision,
    onCrash: (partition, error, pauseMs, exhausted) => {
      const fields = { partition, pauseMs, error };
      if (exhausted) logger.error(fields, 'a writer keeps crashing; its rows wait');
      else logger.warn(fields, 'a writer crashed; restarting it');
    },
    onRestart: (partition) => logger.info({ partition }, 'a writer is back'),
  });
  const lanes: Lane[] = [];
  teardown.add("the store's writers", () => Promise.all(lanes.map(({ storeWriter }) => storeWriter.close())));
  teardown.add('the actors', () => stop(ownSystem ?? root));
  teardown.add('the writers', async () => {
    const ended = Promise.all(lanes.map(({ writer }) => writer.end()));
    supervisor.stop();
    await ended;
  });
  for (let partition = 0; partition < count; partition++) {
    const storeWriter = store.writer({ partition, partitions: count, journalId: journal.id });
    const partitionJournal = journal.partition(partition);
    const writer: Writer = spawnWriter(supervisor.ref, {
      partition,
      journal: partitionJournal,
      store: storeWriter,
      router: router.ref,
      maxBatchRows: config.writers.maxBatchRows,
      snapshotBytes: config.journal.snapshotBytes,
      atStep: options.atStep,
      onFlush: (rows, seconds) => metrics.flushed(rows, seconds),
      onStoreFailure: (error) => metrics.storeFailed(error.class),
      onStoreState: (error) => stores[partition]!.observe(partition, error),
      onSetAside: (rows, { code, message }, pauseMs) =>
        complaints.ours(
          `writer ${partition}`,
          code,
          { rows: rows.length, first: [...rows.slice(0, 1)][0], error: message, pauseMs },
          'these rows take longer than a statement may and are tried again later; the others are stored',
        ),
      onRefused: ({ code, message }) =>
        complaints.ours(
          `writer ${partition}`,
          code,
          { error: message },
          'the store refuses a row; it is a dead letter',
        ),
      onSnapshotError: (error) =>
        logger.warn({ partition, error: error.message }, 'a snapshot failed; the next is tried later'),
      onRecovered: () => {
        supervisor.recovered(partition);
      },
      onCrash: (error) => supervisor.crashed(partition, error),
    });
    router.connect(partition, writer.ref);
    lanes.push({ writer, storeWriter, journal: partitionJournal });
  }
  await until(() => supervisor.allRecovered);
  const { recovered } = totalLedger(lanes.map(({ writer }) => writer.ledger()));
  if (recovered > 0) logger.info({ rows: recovered }, 'pending rows were recovered from the journal');

  // 4. Ways in: the reference for the process, the port for agents.
  const refused = new Counts();
  const ref = spawnIngress(root, {
    inbox: router.inbox,
    peerNumber: journal.peers.number('internal'),
    onSaturated: (counters) => {
      traffic.saturated += counters;
    },
    onRejected: (rows, why) => {
      refused.received += rows;
      refused.rejected += rows;
      complaints.ours('internal', 'rejected', { rows, why }, 'a report from inside the process was refused');
    },
  });
  const connections = new Set<Connection>();
  const budget = new InflightBudget(config.listen.maxInflightBytes, connections);
  const listener = new Listener(
    root,
    {
      host: config.listen.host,
      port: config.listen.port,
      maxConnections: config.listen.maxConnections,
      peerNumber: (address) => journal.peers.number(address),
    },
    connections,
    {
      inbox: router.inbox,
      budget,
      traffic,
      complaints,
      handlers,
      // One for each chunk that is under way; few of 64 KiB hold more than 8,192 rows.
      buffers: new RowBufferPool({ initialRows: 1024, maxSpares: 32, maxSpareRows: 8192 }),
      reports: new ReportDecoder(),
      maxBodyBytes: config.listen.maxBodyBytes,
      maxBadFrames: config.listen.maxBadFrames,
      frameTimeoutMs: config.listen.frameTimeoutMs,
    },
  );
  const isJournaled = () => router.waitingRows === 0 && budget.bytes === 0;
  teardown.add('the connections', async () => {
    listener.stopAccepting();
    listener.closeConnections();
    await until(isJournaled, STOP_JOURNAL_MS);
  });
  const address = await listener.listen();
  logger.info({ ...address, writers: count, store: store.description }, 'listening for agents');

  const ledger = () => totalLedger([refused.ledger(0), ...lanes.map(({ writer }) => writer.ledger())]);
  const status = (): ReporterStatus => ({
    state,
    traffic,
    inflightBytes: budget.bytes,
    ...(journalError === undefined ? {} : { journalError }),
    store: store.description,
    ledger: ledger(),
    deadLetters: journal.deadLetters.size,
    quarantined: journal.quarantined,
    writers: lanes.map(({ writer, journal: partitionJournal }, partition) => {
      const { state: writerState, restarts, lastCrash } = supervisor.writer(partition);
      const since = writer.oldestSince();
      return {
        partition,
        state: writerState,
        restarts,
        ...(lastCrash === undefined ? {} : { lastCrash }),
        store: stores[partition]!.state,
        ledger: writer.ledger(),
        oldestPendingSeconds: since === undefined ? 0 : Math.max(0, Math.floor(Date.now() / 1000) - since),
        journalBytes: partitionJournal.bytes,
      };
    }),
  });
  currentStatus = status;
  letterDesk = {
    list: (filter, offset, limit) => journal.deadLetters.page(filter, offset, limit),
    settle: async (action, filter) => {
      if (state !== 'running') throw new DeadLetterError(`the reporter is ${state}`, NOTHING_DONE);
      const outcome = await settleEach(journal.deadLetters, filter, count, (partition, keys) =>
        askWriter(lanes[partition]!.writer.ref, partition, { action, keys, filter }),
      );
      logger.info({ action, filter, ...outcome }, 'dead letters were settled');
      return outcome;
    },
  };

  const drain = async () => {
    const deadlineMs = performance.now() + config.shutdown.drainMs;
    if (state === 'running') state = 'draining';
    listener.stopAccepting();
    await quiet(() => traffic.bytes, QUIET_MS, Math.min(LONGEST_READ_MS, config.shutdown.drainMs / 4));
    listener.closeConnections();
    const isDrained = () => isJournaled() && ledger().pending === 0;
    await until(() => isDrained() || state === 'stopped', deadlineMs - performance.now());
    return { drained: isDrained(), pending: ledger().pending, unjournaled: router.waitingRows };
  };

  return {
    address,
    admin: admin?.address ?? null,
    ref,
    report: (...reports) => new Promise((journaled) => tell(ref, { reports, journaled })),
    ledger,
    drain,
    stop: end,
    status,
  };
}
