import type { DeadLetter, DeadLetterFilter } from '../model/dead-letter.js';
import type { EventSink } from '../observe/events.js';
import type { JournalFaults } from './faults.js';
import type { JournalEntry, JournalRecord } from './record.js';

/**
 * The journal as the writers see it: the durable memory of their pending rows. `journal/lmdb` is the engine behind it;
 * `test/journal/contract.ts` holds any engine against what is said here.
 *
 * **Durable** means: a kill of the process at any later moment, or whatever an engine promises beyond that, loses
 * nothing of it.
 *
 * **Concurrency.** Each partition has one user, its writer. Of one partition, `append`, `release` and `quarantine` are
 * called one after the other, each when the one before has settled; a replay runs alone; one snapshot may run beside
 * appends. Partitions know nothing of each other. Nothing here is called while a relayout runs.
 *
 * **Reads** may take time: whatever can ask a disk or another machine returns a promise. What is read at once is said
 * to be *in memory*: the engine keeps it there, because callers ask for it in the middle of their work.
 *
 * **Errors.** Everything rejects with ReporterError: JOURNAL_UNUSABLE when the journal was closed, or can never be
 * written again by this process. Failures that may pass (full disk, an I/O error, no quorum) are no errors: writes are
 * tried again in place until they succeed, so that order is kept; event `journal-state` tells.
 */
export interface Journal {
  /** Random, stable over restarts: tells reporters apart that share a database server. */
  readonly id: string;
  /** In memory; changed by `relayout` alone. */
  readonly layout: Layout;
  readonly peers: Peers;
  readonly deadLetters: DeadLetters;
  /** Records and pieces that were put into quarantine and are kept there. In memory, complete when all is replayed. */
  readonly quarantined: number;

  /** The journal of partition 0 … `layout.writers` - 1. Asks nothing of the engine. To be called once a partition. */
  partition(index: number): PartitionJournal;

  /** Reads a partition as it is stored, changing nothing. What is damaged is named in the result, and left out. */
  survey(index: number, onEvent: (event: JournalEvent) => void): Promise<PartitionSurvey>;

  /**
   * Replaces all partitions by `writers` new ones that hold `rowsOf(partition)` as their snapshots. A kill at any moment
   * leaves the old layout or the new one, whole. Dead letters and quarantine stay. Before any partition is in use.
   *
   * Not tried again when it fails: rejects, and the old layout holds. An engine whose partitions are fixed for good
   * rejects always, and its message says what to do instead.
   */
  relayout(writers: number, rowsOf: (partition: number) => Int32Array): Promise<void>;

  /** What is under way rejects, unless it is durable already. Others may open the journal when it resolves. Idempotent. */
  close(): Promise<void>;
}

/** What an opener needs. */
export interface JournalOptions {
  /** The journal's folder; created when missing. One process at a time. */
  readonly dir: string;
  /** Number of partitions of a new journal; an existing one keeps its own until `relayout`. */
  readonly writers: number;
  /** `journal-state`, `journal-synced` and `quarantined` are told here. */
  readonly events: EventSink;
  readonly faults?: JournalFaults | undefined;
}

/** How the journal is divided. */
export interface Layout {
  /** Number of partitions. */
  readonly writers: number;
}

/**
 * The log of one partition, cut off at the front by snapshots.
 *
 *     [ snapshot: rows up to record n ] n+1  n+2  n+3 …  ← append
 *
 * Records have sequence numbers, which their writer gives: each is greater than the one before, most often by one.
 */
export interface PartitionJournal {
  /** Records behind the last snapshot, and their bytes: what the next one would free. In memory since the last replay. */
  readonly sinceSnapshot: { readonly bytes: number; readonly events: number };
  /** Bytes of records and snapshot, about. In memory since the last replay. */
  readonly bytes: number;

  /**
   * All that is stored, in order: one `base`, the snapshot's `rows`, then each `record` behind it. What is damaged goes
   * into quarantine and is left out. Lets others run every few milliseconds. Only after it has been read to its end may
   * anything be written: this is where an engine makes sure that nobody else writes any more.
   */
  replay(): AsyncGenerator<Replayed>;

  /**
   * Makes the entry durable, all of it or nothing: the record, the dead letters that its refusals become, and the
   * removal of those that it releases or whose keys it confirms. A value whose key the same record confirms becomes no
   * dead letter. Resolves when all of that is durable and in memory; the entry's arrays are the caller's again then.
   *
   * After it has rejected, the entry may be durable or not, and nothing is appended any more.
   */
  append(sequence: number, entry: JournalEntry): Promise<void>;

  /**
   * Undefined while a restart would find what was appended: the usual case. Else, when the journal was taken from under
   * the process, as by moving its folder, resolves when it is back. Meanwhile appends are durable in what is open, so
   * that pending rows go on to the store, and nobody is told that new rows are safe. Event `journal-state` tells.
   */
  displaced(): Promise<void> | undefined;

  /** The dead letter of a packed key of this partition. */
  deadLetter(key: Int32Array): Promise<StoredDeadLetter | undefined>;

  /** Removes the dead letters of these packed keys, as one durable step; keys that have none are passed over. */
  release(keys: readonly Int32Array[]): Promise<void>;

  /**
   * Replaces the records up to `sequence`, the last one applied, by the rows they left pending, and `batchId`, the last
   * batch they carry. Durable when it resolves to true.
   *
   * The rows are read some at a time while later records go on changing them, so some may be newer than `sequence`. A
   * replay comes to the same map all the same: the records behind `sequence` set every row they touch again, and those
   * they do not touch are in the snapshot, because a row keeps its slot while it is pending.
   *
   * Gives up when `isStale()` turns true before it is published, and resolves to false: then, as after a kill on the
   * way, the last snapshot and all records behind it are as before. A snapshot of the sequence of the last one
   * changes nothing. Rejects with RangeError for a lower sequence.
   */
  snapshot(
    sequence: number,
    batchId: number,
    source: SnapshotSource,
    isStale: () => boolean,
  ): Promise<boolean>;

  /**
   * Takes a record out of the way on which its writer crashes, as one durable step: its bytes are kept in quarantine;
   * what can be read of it, its time, batch and number of rows, is left in its place. Nothing happens when there is no
   * such record behind the snapshot.
   */
  quarantine(sequence: number, error: Error): Promise<void>;

  /** When something of this partition was last put into quarantine; epoch ms, 0 when nothing was. A bound: may be later. */
  quarantinedAt(): Promise<number>;
}

/** What replay yields: first where it starts, then the snapshot's rows, then the records after it, in order. */
export type JournalEvent =
  /** `batchId`: the last batch that the snapshot covers. */
  | { readonly kind: 'base'; readonly batchId: number }
  | { readonly kind: 'rows'; readonly rows: Int32Array }
  | { readonly kind: 'record'; readonly record: JournalRecord };

export interface Replayed {
  /** Of the record; of the last record that the snapshot covers, 0 when there is none. */
  readonly sequence: number;
  readonly event: JournalEvent;
}

/** Where a snapshot reads from while the rows go on changing. */
export interface SnapshotSource {
  /** One past the last slot to be read. */
  readonly slotEnd: number;
  /** Rows of the slots `from` … `to`-1, copied; to the start of `into`, where they fit. */
  copySlots(from: number, to: number, into?: Int32Array): Int32Array;
}

/**
 * The rows that stores refused, one dead letter a key: the newest value, with a count. Written by `append` and
 * `release` of the partitions only, so that what is pending and what is dead can never both, or neither, hold a row.
 *
 * An engine keeps the *keys* in memory, since each append must know whether a key it confirms has one. They are complete
 * when all partitions of this process are replayed.
 */
export interface DeadLetters {
  /** In memory. */
  readonly size: number;
  /**
   * Those that the filter means, by primary key, some at a time. They may change between two reads: none is given
   * twice, and none left out that is there all the while.
   */
  read(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]>;
}

export interface StoredDeadLetter {
  readonly deadLetter: DeadLetter;
  /** Its row, packed as it was sent, with the number of its sender. */
  readonly words: Int32Array;
}

/**
 * Addresses that reports came from, numbered, so that a row carries its sender in a few bits of its TAG.
 *
 * Numbers hold in this process while the journal is open: an engine may give others after the next opening, if the rows
 * that it replays carry those. All is in memory and answered at once; that an address is durable before, or with, the
 * first record that uses its number is the engine's affair.
 */
export interface Peers {
  /** The number of an address (without port), a new one if need be; 0 for `unknown`, and when there are too many. */
  number(address: string): number;
  /** The address of a number; `unknown` when there is none. */
  address(number: number): string;
}

/** What `Peers` calls an address that is not known, with number 0. */
export const UNKNOWN_PEER = 'unknown';

/** Something that is not as it should be. */
export interface JournalProblem {
  /** `partition 2, record 17` */
  readonly place: string;
  readonly problem: string;
}

/** A partition as it is stored. */
export interface PartitionSurvey {
  readonly partition: number;
  /** Up to where the snapshot goes; zeros when there is none. */
  readonly head: { readonly sequence: number; readonly pieces: number; readonly batchId: number };
  readonly snapshot: { readonly pieces: number; readonly rows: number; readonly bytes: number };
  /** Records behind the snapshot; `first` and `last` are sequences, undefined when there is none. */
  readonly records: {
    readonly count: number;
    readonly bytes: number;
    readonly first: number | undefined;
    readonly last: number | undefined;
  };
  /** Last sequence of all: what the next record comes behind. */
  readonly lastSequence: number;
  /** Entries that a killed process left behind and the next start removes; no harm. */
  readonly leftovers: number;
  readonly problems: readonly JournalProblem[];
}

/** A record in quarantine. */
export interface QuarantinedRecord {
  /** When it came there; epoch ms. */
  readonly at: number;
  /** Of the layout it belongs to. */
  readonly epoch: number;
  readonly partition: number;
  readonly sequence: number;
  readonly error: string;
  /** As the engine had stored it. */
  readonly bytes: Uint8Array;
  /** Undefined when it cannot be read. */
  readonly record: JournalRecord | undefined;
}

/**
 * The journal of a stopped reporter, opened to be read: nothing of it is changed, and no reporter starts on it
 * meanwhile.
 */
export interface JournalReader {
  readonly dir: string;
  readonly format: number;
  readonly id: string;
  /** `epoch` rises with each change of `writers`. */
  readonly layout: Layout & { readonly epoch: number };
  readonly fileBytes: number;
  readonly peers: Peers;
  /** Number of addresses known. */
  readonly peerCount: number;
  readonly deadLetters: DeadLetters;
  /** Entries that belong to no partition of the layout: a change of it was interrupted. The next start removes them. */
  readonly strayEntries: number;
  /** Of a partition of the present layout; see `Journal.survey`. */
  survey(index: number, onEvent: (event: JournalEvent) => void): Promise<PartitionSurvey>;
  /** Oldest first. Throws when one cannot be read. */
  quarantine(): AsyncGenerator<QuarantinedRecord>;
  /** By key, as they are stored. Throws when one cannot be read. */
  storedDeadLetters(): AsyncGenerator<{ readonly key: readonly number[]; readonly deadLetter: DeadLetter }>;
  close(): Promise<void>;
}
