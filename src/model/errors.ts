/**
 * Errors with stable codes. People match on `code`, never on the message; the message names what was wrong,
 * the value, and what to do.
 */

/** What went wrong outside a store. */
export type ReporterErrorCode =
  /** A configuration value, file or environment override is unusable. */
  | 'CONFIG_INVALID'
  /** The address for agents, or for the admin HTTP, cannot be bound. */
  | 'LISTEN_FAILED'
  /** Another live process holds the journal directory. */
  | 'JOURNAL_IN_USE'
  /** The journal was written by another format version. */
  | 'JOURNAL_VERSION'
  /** The journal cannot be created, read or written. */
  | 'JOURNAL_UNUSABLE'
  /** A journal record does not hold what it should. */
  | 'JOURNAL_CORRUPT'
  /** A connection to a reporter could not be made, or was lost. */
  | 'CONNECTION_FAILED'
  /** The reporter has stopped, or stops, and does not take this any more. */
  | 'REPORTER_STOPPED';

/** A failure outside a store. Match on `code`, which never changes; the message is for people. */
export class ReporterError extends Error {
  readonly code: ReporterErrorCode;

  constructor(code: ReporterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReporterError';
    this.code = code;
  }
}

/**
 * How a writer answers a store's failure:
 * - `retry`: The store is away or busy. The same rows are sent again after a short pause, which grows.
 * - `retry-slowly`: The store is up but takes nothing (read-only, disk full, unknown code). As `retry`, with long
 *   pauses, and logged as an error.
 * - `too-large`: The batch is too large for the store. Half of it is sent.
 * - `poison`: The store rejects at least one row of the batch for what it holds. The others can be stored.
 * - `configuration`: Nothing is stored until a person acts (password, grants, table). Retried slowly, and logged as an
 *   error.
 */
export type StoreErrorClass = 'retry' | 'retry-slowly' | 'too-large' | 'poison' | 'configuration';

/** A store's failure, classed. Stores reject with nothing else. */
export class StoreError extends Error {
  readonly class: StoreErrorClass;
  /** The store's own code, for logs and metrics: `ER_LOCK_DEADLOCK`, `ECONNREFUSED`, … */
  readonly code: string;
  /** False when the statement certainly had no effect; true when it may have been, or may yet be, applied. */
  readonly maybeApplied: boolean;
  /** For class `retry-slowly`: the reason is not known, and one row may be to blame for it. */
  readonly mayBeOneRow: boolean;
  /** The statement took longer than it may, or waited too long for a lock; one of fewer rows may fit. */
  readonly tooSlow: boolean;

  constructor(
    errorClass: StoreErrorClass,
    code: string,
    message: string,
    options: ErrorOptions & { maybeApplied?: boolean; mayBeOneRow?: boolean; tooSlow?: boolean } = {},
  ) {
    super(message, options);
    this.name = 'StoreError';
    this.class = errorClass;
    this.code = code;
    this.maybeApplied = options.maybeApplied ?? false;
    this.mayBeOneRow = options.mayBeOneRow ?? false;
    this.tooSlow = options.tooSlow ?? false;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Anything thrown, as an error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
