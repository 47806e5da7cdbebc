import type { Row, RowBatch } from '../model/row.js';
import type { ServiceNames } from '../model/service-names.js';

/**
 * Where rows end up. One `Store` serves all writers of a reporter; each writer asks it for a `StoreWriter` of
 * its own partition. Implementations: `mysql/store.ts`, `embedded/store.ts`; a host may pass its own to `startReporter`.
 *
 * Every rejection is a `StoreError`, whose class decides what the writer does next: see `StoreErrorClass`.
 */
export interface Store {
  /** For logs and status: kind and address, never a secret. */
  readonly description: string;

  /**
   * Prepares the store: connects, creates what may be created, checks what must be there. Called once, before
   * any writer. Rejects with class `configuration` when the store can never work as it is (wrong password,
   * wrong table) – the reporter then refuses to start – and with a `retry` class when it is only away: the
   * reporter starts all the same and journals.
   */
  open(): Promise<void>;

  /** Checks again what `open` checked, changing nothing: connection, table, columns, primary key. */
  check(): Promise<void>;

  /** The writer of one partition. Cheap and synchronous; connects when it is first used. */
  writer(lane: StoreLane): StoreWriter;

  /** The read side for views and tools; stores that only take rows leave it out. */
  readonly read?: StoreReader;

  /**
   * Removes old rows, some at a time, and tells after each step what has been done so far. Whoever stops asking stops it.
   * A row that is written meanwhile stays. Stores that cannot do so leave it out.
   */
  forget?(order: ForgetOrder): AsyncIterable<Forgotten>;

  /** Ends everything the store holds open. Called once, after every writer was closed. */
  close(): Promise<void>;
}

/** Which rows are to be removed. */
export interface ForgetOrder {
  /** Whether a row is old, as it was read. Only rows whose `ts` is below `beforeS` may be. */
  readonly isOld: (row: Row) => boolean;
  /** Epoch seconds. When it is removed, the row's `ts` must be below it still. */
  readonly beforeS: number;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** Rows so far. */
export interface Forgotten {
  readonly looked: number;
  readonly old: number;
  readonly removed: number;
}

/** Which partition of which journal a writer serves: what fencing needs to tell reporters apart. */
export interface StoreLane {
  /** 0 … partitions-1. */
  readonly partition: number;
  /** `writers.count`. */
  readonly partitions: number;
  /** Random id of the journal, stable over restarts. */
  readonly journalId: string;
}

/** Stores the rows of one partition. */
export interface StoreWriter {
  /**
   * Stores every row of the batch durably: the journal forgets what this resolves for. Or rejects and leaves it open
   * whether some were stored (the writer sends them again, or newer ones of the same keys). Rows come sorted by
   * primary key, each key once, at most `writers.maxBatchRows`. Called again only after the last call settled: one
   * statement in flight.
   *
   * Must settle within a bound of the store's own. After it rejected, a statement it began must never take
   * effect later than one of a later call (fencing): a row would go backwards.
   */
  upsert(rows: RowBatch): Promise<void>;

  /**
   * The reporter stops: a call under way is given up, and rejects at once. What it began may take effect later, but not
   * later than a statement of the next run (fencing). Without it the call is waited for. No call follows.
   */
  abandon?(): void;

  /** Ends the writer's connection; no call is under way. */
  close(): Promise<void>;
}

/** The columns of the primary key; a `Row` is one, too. */
export type RowPlace = Pick<Row, 'modid' | 'cmdid' | 'ip' | 'port' | 'caller'>;

/** Filter of `StoreReader.rows`: one service, or all. */
export interface RowFilter {
  readonly modid?: number;
  readonly cmdid?: number;
  /** Only rows behind this key, in the order of the reader; there need not be such a row. */
  readonly after?: RowPlace;
}

/** The read side of a store. */
export interface StoreReader {
  /** Rows in primary-key order, a page at a time. */
  rows(filter?: RowFilter): AsyncIterable<Row>;

  /**
   * Names of services that are kept beside the rows. Resolves with none where none are kept; rejects when the store is
   * away. A store that knows no names leaves it out.
   */
  names?(): Promise<ServiceNames>;
}

/** An incident as the table `ServerCallIncident` has it. Times are epoch seconds. */
export interface StoredIncident {
  readonly modid: number;
  readonly cmdid: number;
  /** 0 for those of a whole service. */
  readonly ip: number;
  /** Of those of a whole service: 0 a blackout, 1 errors. */
  readonly port: number;
  readonly began: number;
  /** Null while it runs. */
  readonly ended: number | null;
  readonly peakHot: number;
  readonly callers: number;
  readonly relapses: number;
  readonly calls: number;
  readonly errors: number;
  readonly firstCaller: number | null;
}

/** The table of incidents, where a store has one. Rejects with StoreError. */
export interface IncidentTable {
  /** Begin of the newest one, epoch seconds; 0 when there is none. Undefined: there is no table. */
  newest(): Promise<number | undefined>;
  /** Writes them, and what is newer of those that are there. */
  write(incidents: readonly StoredIncident[]): Promise<void>;
  close(): Promise<void>;
}
