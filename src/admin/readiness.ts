import type { ReporterStatus, StoreState, WriterState } from '../model/status.js';

/** The body of /readyz. */
export interface Readiness {
  /** Whether reports are accepted and journaled, by every writer. */
  readonly ready: boolean;
  readonly state: ReporterStatus['state'];
  /** Why it is not ready, in words; empty when it is. */
  readonly reasons: readonly string[];
  readonly journal: {
    /** Whether what arrives now can be journaled. */
    readonly ok: boolean;
    /** Why the last commit failed; null when it did not. */
    readonly error: string | null;
  };
  /** Empty while starting. */
  readonly writers: readonly {
    readonly partition: number;
    readonly state: WriterState;
    readonly restarts: number;
    /** What the writer last crashed with; null when it never did. */
    readonly lastCrash: string | null;
    readonly store: StoreState;
    /** Row values held for the store now. */
    readonly pending: number;
    /** Age of the oldest report the store does not have; 0 when it has all. */
    readonly oldestPendingSeconds: number;
    /** A batch waits because it would add more keys than the writer may hold. */
    readonly full: boolean;
  }[];
}

/**
 * Whether agents should be sent here. A store that is away is no reason against it: reports are journaled
 * meanwhile, and each writer shows its store. Neither is a writer that restarts: agents wait for it a moment. One
 * that cannot be saved is a reason: the agents of its services wait until a person acts.
 */
export function readiness(status: ReporterStatus): Readiness {
  const { state, journalError, writers } = status;
  const reasons: string[] = [];
  if (state === 'starting') reasons.push('the reporter is starting');
  if (state === 'draining') reasons.push('the reporter is draining: it accepts no reports any more');
  if (state === 'stopped') reasons.push('the reporter has stopped');
  if (journalError !== undefined) reasons.push(`the journal cannot be written: ${journalError}`);
  for (const { partition, state: writerState, lastCrash } of writers) {
    if (writerState === 'failing')
      reasons.push(`writer ${partition} keeps crashing: ${lastCrash ?? 'unknown'}`);
  }
  return {
    ready: reasons.length === 0,
    state,
    reasons,
    journal: { ok: state !== 'starting' && journalError === undefined, error: journalError ?? null },
    writers: writers.map((writer) => ({
      partition: writer.partition,
      state: writer.state,
      restarts: writer.restarts,
      lastCrash: writer.lastCrash ?? null,
      store: writer.store,
      pending: writer.ledger.pending,
      oldestPendingSeconds: writer.oldestPendingSeconds,
      full: writer.full,
    })),
  };
}
