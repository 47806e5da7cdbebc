import type { Handlers } from '../intake/handlers.js';
import type { JournalFaults } from '../journal/faults.js';
import type { Logger } from '../model/log.js';
import type { ReporterEvent } from '../observe/events.js';
import type { NactRef, ParentRef } from '../runtime/actors.js';
import type { Store } from '../store/contract.js';
import type { StepHook } from '../writer/steps.js';

/** What an embedding host may give besides the configuration. */
export interface ReporterOptions {
  /**
   * A nact system, or an actor, of the host to live under. Its persistence engine, if any, stays its own. When it stops,
   * the reporter stops, too, within a second.
   */
  readonly system?: ParentRef | NactRef;
  /**
   * Takes the place of the store `store.url` names. The reporter opens it, and closes it also when its opening failed or
   * was given up.
   */
  readonly store?: Store;
  /**
   * Aborted during the start: `startReporter` rejects with its reason, and leaves nothing open. Aborted later: the
   * reporter stops, as `stop` does; what is pending stays in the journal. Who wants it stored calls `drain` instead.
   */
  readonly signal?: AbortSignal;
  /**
   * False: nothing is served on `admin.host` and `admin.port`; the host serves `reporter.handle` where it likes. True
   * unless given.
   */
  readonly ownHttp?: boolean;
  /** Who takes frames of other message ids, so that a larger node serves them on the same port. */
  readonly handlers?: Handlers;
  /** Where the reporter logs what happens; silent without. */
  readonly logger?: Logger;
  /**
   * Takes everything that happens, in order, each event in a later turn than the one it happens in: what it asks the
   * reporter for is consistent. What it throws, or rejects with, is ignored. Its time is the reporter's, so it must
   * be quick. Never called once a row.
   */
  readonly onEvent?: (event: ReporterEvent) => void;
  /** Fault injection: called at each step of a writer's life; what it throws crashes that writer there. */
  readonly atStep?: StepHook;
  /** Fault injection: a disk under the journal that fills, fails, or stores records torn. */
  readonly journalFaults?: JournalFaults;
}
