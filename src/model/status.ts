import type { StoreErrorClass } from './errors.js';
import type { Traffic } from './traffic.js';
import type { LiveViewStatus } from './view-status.js';

/**
 * The conservation equation. At every moment, for each writer and in total:
 *
 *     received + recovered = upserted + coalesced + rejected + deadLettered + pending
 *
 * Rows are counted where they change hands, in the same synchronous step; `pending` is counted where rows are
 * held and never computed from the others, so the equation can be wrong, and checking it means something.
 */
export interface Ledger {
  /** Rows taken in since the process started: journaled, or rejected before that. */
  readonly received: number;
  /** Rows found pending in the journal when the process started. */
  readonly recovered: number;
  /** Row values the store confirmed. */
  readonly upserted: number;
  /** Row values that a newer one of the same key replaced before the store had them. */
  readonly coalesced: number;
  /** Rows rejected before they were journaled. */
  readonly rejected: number;
  /** Rows that the store rejected because of their content. */
  readonly deadLettered: number;
  /** Row values held for the store now. */
  readonly pending: number;
  /** Whether the equation holds. */
  readonly balanced: boolean;
}

/**
 * - `recovering`: it replays its journal.
 * - `running`: it takes batches and flushes.
 * - `restarting`: it has crashed and waits for its next attempt.
 * - `failing`: it has crashed more often than the budget allows and is tried at the slowest pace; its rows wait,
 *   the agents that send them are slowed down, nothing is discarded.
 */
export type WriterState = 'recovering' | 'running' | 'restarting' | 'failing';

/** A store as one writer sees it. */
export type StoreState =
  | { readonly state: 'ok' }
  | {
      readonly state: 'failing';
      readonly class: StoreErrorClass;
      readonly code: string;
      readonly message: string;
      /** Milliseconds since the epoch. */
      readonly sinceMs: number;
    };

/** How one writer is. */
export interface WriterStatus {
  readonly partition: number;
  readonly state: WriterState;
  readonly restarts: number;
  /** What the writer last crashed with. */
  readonly lastCrash?: string;
  readonly store: StoreState;
  readonly ledger: Ledger;
  /** Age of the oldest report the store does not have; 0 when it has all. */
  readonly oldestPendingSeconds: number;
  /** It holds as many keys as it may (`writers.maxPendingKeys`), and a batch with new ones waits. */
  readonly full: boolean;
  /** Keys that were stored a moment ago and are remembered for `writers.rewriteMs`; they are not pending. */
  readonly remembered: number;
  /** Bytes of journal records and snapshot. */
  readonly journalBytes: number;
}

/** How a reporter is, at this moment; `/api/status` shows the same. */
export interface ReporterStatus {
  readonly state: 'starting' | 'running' | 'draining' | 'stopped';
  /** The process that reads. */
  readonly pid: number;
  /** The process that holds the connections, where that is another one. */
  readonly keeper: number | null;
  readonly traffic: Readonly<Traffic>;
  /** Of `listen.tls`; null without. */
  readonly tls: TlsStatus | null;
  /** Bytes read from sockets and not journaled yet. */
  readonly inflightBytes: number;
  /** Whether the journal's last commit failed, and why; it is being tried again. */
  readonly journalError?: string;
  readonly store: string;
  /** Keys whose newest value the store rejects. */
  readonly deadLetters: number;
  /** Journal records that were damaged, or crashed their writer, and are kept aside. */
  readonly quarantined: number;
  readonly writers: readonly WriterStatus[];
  readonly ledger: Ledger;
  /** What people look at: services, hosts and callers. */
  readonly view: LiveViewStatus;
}

/** The certificates of the port with TLS. */
export interface TlsStatus {
  /** When the first of them ends, ISO 8601, UTC. */
  readonly validTo: string;
  /** The key of the configuration that names it. */
  readonly endsFirst: 'listen.tls.cert' | 'listen.tls.ca';
}

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}
