import type { DeadLetterFilter, DeadLetterOutcome } from '../model/dead-letter.js';
import type { StoreError } from '../model/errors.js';
import type { Row } from '../model/row.js';
import type { Address, ReporterStatus } from '../model/status.js';
import type { AddressPause, ConnectionDenial, FrameRejection, HandshakeFailure } from '../model/traffic.js';

/**
 * What happens in a reporter, by the type of the event. An event is told once a statement, once a commit, once a
 * connection or once a change of state; never once a row or once a frame that is good.
 *
 * Partitions are 0 … `writers.count` - 1. `peer` is an agent's address without its port.
 */
export interface EventMap {
  /** The reporter is in another state. */
  'reporter-state': { readonly state: ReporterStatus['state'] };
  /** What the reporter lives under, `parent`, has stopped; so the reporter stops, too. */
  'parent-stopped': { readonly parent: string };
  /** A step of the drain is done; see "Shutdown" in docs/architecture.md. */
  'drain-step': {
    readonly step: 'accepting-stopped' | 'connections-closed' | 'drained' | 'time-up';
    /** Row values that the store does not have yet. */
    readonly pending: number;
    /** Rows that were read and are not journaled yet. */
    readonly unjournaled: number;
  };
  /** A part could not be ended in good order. */
  'teardown-failed': { readonly part: string; readonly error: Error };

  /** The admin HTTP is served. */
  'admin-listening': { readonly host: string; readonly port: number };
  /** The admin HTTP is not served: its address is taken, and the host did not ask for it. */
  'admin-unavailable': { readonly error: Error };
  /** Agents can connect. */
  listening: {
    readonly host: string;
    readonly port: number;
    /** With TLS, where that is spoken. */
    readonly secure?: Address;
    readonly writers: number;
    readonly store: string;
  };

  /** The process may not open as many files as `listen.maxConnections` asks for: `limit` connections are taken. */
  'connections-limited': {
    readonly configured: number;
    readonly limit: number;
    /** Files that the process may have open. */
    readonly openFiles: number;
  };
  /** A connection of an agent was accepted. `connections`: those that are open now. */
  'connection-opened': { readonly peer: string; readonly connections: number };
  /** A connection of an agent has ended. */
  'connection-closed': { readonly peer: string; readonly connections: number };
  /** A connection was refused: `maxConnections` are open. */
  'connection-rejected': { readonly peer: string; readonly maxConnections: number };
  /** A connection was refused or closed for who its peer is. */
  'connection-denied': { readonly peer: string; readonly reason: ConnectionDenial; readonly why: string };
  /** A TLS handshake of an agent came to nothing; its connection is closed. */
  'handshake-failed': { readonly peer: string; readonly reason: HandshakeFailure; readonly why: string };
  /** An address has sent more than `listen.perAddress` allows: `reports` a second, or `keys` that are held for the store. It is read later. */
  'address-throttled': { readonly peer: string; readonly why: AddressPause };
  /** A report names another machine as its caller than the one that sent it. */
  'caller-foreign': { readonly peer: string; readonly caller: number; readonly isRejected: boolean };
  /** A connection failed for a reason of ours; it is closed. */
  'connection-failed': { readonly peer: string; readonly error: Error };
  /** The reporter closes a connection because of what its peer does. */
  'connection-refused': { readonly peer: string; readonly reason: 'bad-frames' | 'unread-replies' };
  /** The system did not hand over a connection, for example because there are no file descriptors left. */
  'accept-failed': { readonly error: Error };
  /** A frame was refused. Frames with an unknown id are counted only. */
  'frame-rejected': {
    readonly peer: string;
    readonly reason: Exclude<FrameRejection, 'unknown-id' | 'handler'>;
    /** What is wrong with it. */
    readonly why: string;
    /** Bytes of its body; of an incomplete one unknown. */
    readonly bodyBytes?: number;
  };
  /** A handler of the host failed on a frame, or is so far behind that frames are dropped: told once a second at most. */
  'handler-failed': { readonly peer: string; readonly id: number; readonly error: Error };
  /** A handler of the host has not finished a frame for so long; its connection waits no longer. Told once a second at most. */
  'handler-slow': { readonly peer: string; readonly id: number; readonly afterMs: number };
  /** A report from inside the process was refused, and its rows with it. */
  'report-rejected': { readonly rows: number; readonly why: string };
  /** The router failed on the rows of one sender, or a sender on its receipt. */
  'routing-failed': { readonly error: Error };

  /** A batch is on disk. `rows`: those it holds; `received`: those it stands for. */
  'batch-journaled': {
    readonly partition: number;
    readonly batchId: number;
    readonly rows: number;
    readonly received: number;
    /** Since the first of its rows was read. */
    readonly seconds: number;
    /** Of these, since its writer has begun to journal it. */
    readonly journalSeconds: number;
    /** `batch-stored` tells when the store has it, unless its writer crashes before. */
    readonly isFollowed: boolean;
  };
  /**
   * The store has each row of a batch that is followed, or a newer value of its key. `refused`: rows of it that are dead
   * letters instead.
   */
  'batch-stored': { readonly partition: number; readonly batchId: number; readonly refused: number };
  /** The journal made a commit durable. */
  'journal-synced': { readonly seconds: number };
  /** The journal cannot be written, or can be written again. A failing commit is tried again in place. */
  'journal-state': { readonly state: 'ok' } | { readonly state: 'failing'; readonly error: Error };
  /** A journal record was damaged, or crashed its writer again and again; it is kept aside. */
  quarantined: { readonly partition: number; readonly sequence: number; readonly error: Error };
  /** A snapshot failed; the next one is tried later. */
  'snapshot-failed': { readonly partition: number; readonly error: Error };
  /** `writers.count` has changed; pending rows were moved to their new partitions. */
  'partitions-changed': { readonly from: number; readonly to: number; readonly rows: number };
  /** Rows were found pending in the journal at the start. */
  'rows-recovered': { readonly rows: number };

  /** The way to the store is not protected as it could be; `warning` says in one sentence how. */
  'store-exposed': { readonly store: string; readonly warning: string };
  /** The store was opened. */
  'store-opened': { readonly store: string };
  /** The store is away at the start; the writers go on trying. */
  'store-unavailable': { readonly store: string; readonly error: StoreError };
  /** The store confirmed a statement. `batches`: of those that are followed, the ones it had rows of, if any. */
  'statement-flushed': {
    readonly partition: number;
    readonly rows: number;
    readonly seconds: number;
    readonly batches?: readonly number[];
  };
  /** A statement failed. Its rows wait again. `batches`: as of `statement-flushed`. */
  'statement-failed': {
    readonly partition: number;
    readonly rows: number;
    readonly seconds: number;
    readonly error: StoreError;
    readonly batches?: readonly number[];
  };
  /**
   * How the store is for one writer, at a change, and once more every 30 seconds while it fails.
   * `isNew`: the state, or the code of its error, is another than before.
   */
  'store-state': { readonly partition: number } & (
    | { readonly state: 'ok' }
    | { readonly state: 'failing'; readonly error: StoreError; readonly isNew: boolean }
  );
  /** An earlier session of this journal still held a partition in the database, and was ended. */
  'session-killed': { readonly partition: number; readonly connection: number };
  /**
   * An earlier session is in its commit, or another one is stuck in its own, and none is killed: the database cannot
   * write, most often because its disk is full. `state`: what the database says that the session does.
   */
  'commit-awaited': { readonly partition: number; readonly connection: number; readonly state: string };
  /** A session of another process, which works with this journal or a copy of it, has taken the partition over. */
  'journal-shared': { readonly partition: number; readonly connection: number };
  /** Rows take longer than a statement may, others do not; they are tried again after `pauseMs`. `first`: one of them. */
  'rows-set-aside': {
    readonly partition: number;
    readonly rows: number;
    readonly first: Row;
    readonly error: StoreError;
    readonly pauseMs: number;
  };
  /** The store refuses a row for what it holds; the row is a dead letter. */
  'dead-letter': { readonly partition: number; readonly error: StoreError };
  /** Dead letters were replayed or dropped. */
  'dead-letters-settled': {
    readonly action: 'replay' | 'drop';
    readonly filter: DeadLetterFilter;
    readonly outcome: DeadLetterOutcome;
  };

  /** A writer crashed, and is rebuilt after `pauseMs`. `isFailing`: it has used up its budget of restarts. */
  'writer-crashed': {
    readonly partition: number;
    readonly error: Error;
    readonly pauseMs: number;
    readonly isFailing: boolean;
  };
  /**
   * A batch waits because a writer has no room for the keys it would add (`writers.maxPendingKeys`), or waits no longer.
   * `keys`: those that are pending.
   */
  'writer-full': { readonly partition: number; readonly isFull: boolean; readonly keys: number };
  /** A writer has its state (again). `restarts`: since the process started. */
  'writer-recovered': { readonly partition: number; readonly restarts: number };

  /** The thread of the live view has ended by itself; another one is started after `pauseMs`. Nothing else is touched. */
  'view-crashed': { readonly error: Error; readonly pauseMs: number };
  /** Something of the live view does not work, for example keeping for the next start who calls. */
  'view-complaint': { readonly why: string };

  /** Traces or metrics could not be sent to `telemetry.otlpUrl`. Nothing else is touched. */
  'telemetry-failed': { readonly signal: 'traces' | 'metrics'; readonly error: Error };
}

/** Names of events. */
export type EventType = keyof EventMap;

/** One event, told apart by `type`. */
export type ReporterEvent = { readonly [T in EventType]: { readonly type: T } & EventMap[T] }[EventType];

/** Where stages tell what happens. What a subscriber throws never reaches them. */
export interface EventSink {
  emit(event: ReporterEvent): void;
}

/** The events of one reporter, and who takes them. */
export class Events implements EventSink {
  readonly #subscribers: ((event: ReporterEvent) => void)[] = [];

  /** `subscriber` gets each event from now on, in the turn in which it happens, so it must be quick. */
  subscribe(subscriber: (event: ReporterEvent) => void): void {
    this.#subscribers.push(subscriber);
  }

  emit(event: ReporterEvent): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(event);
      } catch {
        // A subscriber's failure is its own: there is nobody left to tell.
      }
    }
  }
}

/** Takes events and keeps nothing: for tools that work on a stopped reporter's journal. */
export const NO_EVENTS: EventSink = { emit: () => {} };
