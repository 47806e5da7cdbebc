import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HandleOptions } from './admin/hosted.js';
import type { Admin } from './admin/http.js';
import { type Config, type ConfigInput, parseConfig } from './config/index.js';
import type { IngressMessage } from './intake/ingress.js';
import type { EndReason } from './model/end-reason.js';
import type { Report } from './model/report.js';
import type { Address, Ledger, ReporterStatus } from './model/status.js';
import { DeadLetterCounter } from './node/dead-letters.js';
import { type DrainOutcome, drain } from './node/drain.js';
import { type Foundation, layFoundation } from './node/foundation.js';
import { letGo } from './node/let-go.js';
import { applyInPlace } from './node/live-config.js';
import { type Intake, openIntake, tlsFilesOf } from './node/open-intake.js';
import { openJournal } from './node/open-journal.js';
import { openStore } from './node/open-store.js';
import { openTelemetry } from './node/open-telemetry.js';
import type { ReporterOptions } from './node/options.js';
import { type Shown, serveAdmin } from './node/serve-admin.js';
import { openViewDesk, type ViewDesk } from './node/start-view.js';
import { startWriters, type Writers } from './node/start-writers.js';
import { OWN_WAYS, type Ways } from './node/ways.js';
import { endingOf } from './node/ways-to-end.js';
import type { Telemetry } from './observe/telemetry/telemetry.js';
import type { ActorRef } from './runtime/actors.js';

/** A reporter that runs in this process. */
export interface Reporter {
  /** Where agents connect. */
  readonly address: Address;
  /** Where agents connect with TLS; null without `listen.tls`. */
  readonly secureAddress: Address | null;
  /** Where the admin HTTP is served; null when it is not: its address was taken, or `ownHttp` is false. */
  readonly admin: Address | null;
  /** Takes reports from inside the process, dispatched by nact: a report, or `{ reports, journaled }`. */
  readonly ref: ActorRef<IngressMessage>;
  /**
   * Takes reports from inside the process. Resolves when all of them are on disk; reports that are not valid are
   * refused, counted and logged. Whoever waits before sending more keeps memory bounded. Rejects with ReporterError
   * REPORTER_STOPPED when the reporter stops before they are on disk, or has stopped.
   */
  report(...reports: readonly Report[]): Promise<void>;
  /** How the reporter is, at this moment. */
  status(): ReporterStatus;
  /** The conservation equation over all writers, at this moment. */
  ledger(): Ledger;
  /**
   * Takes no new connections, reads what agents have already sent, closes their connections, and waits until the
   * store holds everything, all within `shutdown.drainMs`. `pending` rows could not be stored, and stay in the journal;
   * `unjournaled` rows were taken and could not even be journaled, because the journal cannot be written: they go with
   * the process, unless it can be written again before `stop`.
   */
  drain(): Promise<DrainOutcome>;
  /** Ends everything at once but in order; what is pending stays in the journal. Idempotent. Never rejects. */
  stop(): Promise<void>;
  /** As `stop`, for `await using`. Whoever wants everything stored first calls `drain` at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Resolves with the reason when the reporter has ended, whoever ended it, and all is closed. Never rejects. */
  readonly ended: Promise<EndReason>;
  /**
   * Serves the page and the API of the admin HTTP on a server of the host. Give it requests whose body nobody has read.
   * `request.url` is changed to the path below `base`. After the end of the reporter, each is answered with 503.
   *
   * With `admin.token` or `admin.viewToken` set, requests need it, as on the own port. Without, only those of this
   * machine are served, unless `role` says that the host has checked who asks.
   *
   *     createServer((request, response) => {
   *       if (request.url?.startsWith('/reporter')) reporter.handle(request, response, { base: '/reporter' });
   *       else …
   *     });
   */
  handle(request: IncomingMessage, response: ServerResponse, options?: HandleOptions): void;
}

/**
 * Starts a reporter: opens the store and the journal, lets the writers recover, and listens.
 *
 * `config` is validated first; keys that are left out have their defaults, relative paths resolve against the
 * working directory. Rejects with ReporterError (CONFIG_INVALID, JOURNAL_*, LISTEN_FAILED) or with a StoreError of
 * class `configuration`, or with the reason of an aborted `signal`; nothing is left running then. A store that is only
 * away is no reason to reject.
 *
 *     await using reporter = await startReporter({ journal: { dir: '/var/lib/lars/journal' } });
 */
export async function startReporter(
  config: ConfigInput | Config,
  options: ReporterOptions = {},
): Promise<Reporter> {
  // What is of the command line alone is left out.
  const held = await startWithWays(config, options, OWN_WAYS);
  const { address, secureAddress, admin, ref, report, status, ledger, drain, stop, ended, handle } = held;
  return {
    address,
    secureAddress,
    admin,
    ref,
    report,
    status,
    ledger,
    drain,
    stop,
    ended,
    handle,
    [Symbol.asyncDispose]: stop,
  };
}

/** A reporter whose ports and connections may be of another process. */
export interface HeldReporter extends Reporter {
  /** Ends the admin HTTP alone. */
  closeAdmin(): Promise<void>;
  /**
   * Puts the values into place that can change while it runs. Throws ReporterError CONFIG_INVALID when a file that they
   * name cannot be used; nothing has changed then.
   */
  apply(config: Config): void;
  /** The keeper has closed so many connections at once. */
  turnedAway(count: number): void;
  /** See `letGo` of `node/let-go.ts`. */
  letGo(): Promise<void>;
}

/** As `startReporter`; for the command line, which has ways of its own. */
export async function startWithWays(
  config: ConfigInput | Config,
  options: ReporterOptions,
  ways: Ways,
): Promise<HeldReporter> {
  // The steps of "Start-up" in docs/architecture.md. Each adds to the teardown what ends it.
  const { signal } = options;
  signal?.throwIfAborted();
  const settings = parseConfig(config, { baseDir: process.cwd() });
  const foundation = layFoundation(settings, options, ways);
  let telemetry: Telemetry | undefined;
  try {
    telemetry = await openTelemetry(foundation);
    const view = openViewDesk(foundation);
    const shown: Shown = { letters: new DeadLetterCounter(foundation), view };
    const admin = await serveAdmin(foundation, shown, config.admin !== undefined);
    signal?.throwIfAborted();
    const journal = await openJournal(foundation);
    signal?.throwIfAborted();
    const store = await openStore(foundation);
    shown.store = store;
    foundation.teardown.add('reading of the store', () => {
      shown.store = undefined;
    });
    const writers = await startWriters(foundation, journal, store, {
      feed: view.feed,
      isFollowed: telemetry?.samples,
    });
    shown.letters.open(journal, writers.lanes);
    // Before anything comes in, so that it misses nothing.
    view.start(store, writers.lanes);
    const intake = await openIntake(foundation, writers, view.peers(journal.peers));
    signal?.throwIfAborted();
    foundation.status.enter('running');
    foundation.events.emit({
      ...{ type: 'listening', ...intake.ports.plain },
      ...(intake.ports.secure ? { secure: intake.ports.secure } : {}),
      ...{ writers: settings.writers.count, store: store.description },
    });
    return reporterOf({ foundation, admin, writers, intake, view, telemetry });
  } catch (error) {
    await foundation.end();
    await telemetry?.end();
    throw error;
  }
}

interface Stages {
  readonly foundation: Foundation;
  readonly admin: Admin;
  readonly writers: Writers;
  readonly intake: Intake;
  readonly view: ViewDesk;
  readonly telemetry: Telemetry | undefined;
}

function reporterOf({ foundation, admin, writers, intake, view, telemetry }: Stages): HeldReporter {
  const { status } = foundation;
  const { ended, end } = endingOf(foundation, { intake, writers, telemetry });
  const stop = () => end('stopped');
  return {
    address: intake.ports.plain,
    secureAddress: intake.ports.secure ?? null,
    admin: admin.address,
    ref: intake.ingress.ref,
    report: (...reports) => intake.ingress.report(reports),
    ledger: () => status.ledger(),
    drain: () => drain(foundation, intake, writers),
    ...{ stop, ended, [Symbol.asyncDispose]: stop },
    handle: (request, response, how) => admin.handle(request, response, how),
    status: () => status.read(),
    closeAdmin: () => admin.close(),
    apply: (next) => {
      // First, as they alone may fail.
      const tlsFiles = tlsFilesOf(next.listen);
      admin.setCertificate(next.admin.tls);
      applyInPlace(foundation.config, next);
      admin.setTokens(next.admin);
      intake.recheck(tlsFiles);
      view.changed();
    },
    turnedAway: (count) => {
      foundation.traffic.refused += count;
    },
    letGo: async () => {
      await letGo(foundation, intake, writers);
      // The next process reads on meanwhile.
      void telemetry?.end();
    },
  };
}
