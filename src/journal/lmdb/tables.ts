import type { Database, RootDatabase } from 'lmdb';
import type { Reserve } from '../../lmdb/reserve.js';
import type { DeadLetter } from '../../model/dead-letter.js';
import type { JournalFaults } from '../faults.js';
import type { DeadLetters } from './dead-letters.js';
import type { Scratches } from './scratch.js';

/** How the journal is divided: changed as a whole, in one transaction. */
export interface Layout {
  /** Rises with each change of `writers`; part of every key, so that two layouts never mix. */
  readonly epoch: number;
  /** Number of partitions, `writers.count` when it was written. */
  readonly writers: number;
}

export interface JournalOptions {
  /** Created when missing. One process at a time. */
  readonly dir: string;
  /** Number of partitions of a new journal; an existing one keeps its own until `relayout`. */
  readonly writers: number;
  /** Told of each failed commit (disk full, I/O error) while it is tried again, and of recovery as undefined. */
  readonly onFault?: (error: Error | undefined) => void;
  /** Told of a record, or piece of a snapshot, that was put into quarantine, and why. */
  readonly onQuarantine?: (partition: number, sequence: number, error: Error) => void;
  /** Told how long each durable append took, in seconds. */
  readonly onSync?: (seconds: number) => void;
  readonly faults?: JournalFaults | undefined;
}

/** The databases of the environment; keys are ordered arrays. */
export interface Tables {
  /** [epoch, partition, sequence] → record. */
  readonly events: Database<Uint8Array, number[]>;
  /** [epoch, partition, sequence of the snapshot, piece] → record that holds rows only. */
  readonly snapshots: Database<Uint8Array, number[]>;
  /** [epoch, partition] → what is published of a partition. */
  readonly heads: Database<Head, number[]>;
  /** [milliseconds since the epoch, epoch, partition, sequence] → a record that could not be read or applied. */
  readonly quarantine: Database<Quarantined, number[]>;
}

/** All databases of the environment. */
export interface Databases extends Tables {
  /** `format`, `id`, `layout`. */
  readonly meta: Database<unknown, string>;
  /** Number → address. */
  readonly peers: Database<string, number>;
  /** Primary key → newest refused value. */
  readonly deadLetters: Database<DeadLetter, number[]>;
}

/**
 * The databases. Those that are missing are created, or undefined when the environment is only read or `create` is
 * false.
 */
export function openDatabases(environment: RootDatabase, create = true): Databases {
  // Not in the types of lmdb.
  const options = { create };
  return {
    meta: environment.openDB({ name: 'meta', encoding: 'json', ...options }),
    events: environment.openDB({ name: 'events', encoding: 'binary', ...options }),
    snapshots: environment.openDB({ name: 'snapshots', encoding: 'binary', ...options }),
    heads: environment.openDB({ name: 'heads', encoding: 'json', ...options }),
    quarantine: environment.openDB({ name: 'quarantine', encoding: 'msgpack', ...options }),
    peers: environment.openDB({ name: 'peers', encoding: 'string', ...options }),
    deadLetters: environment.openDB({ name: 'dead-letters', encoding: 'json', ...options }),
  };
}

/** A record that was taken out of the journal because it is damaged, or because its writer crashes on it. */
export interface Quarantined {
  readonly partition: number;
  readonly sequence: number;
  readonly error: string;
  readonly bytes: Uint8Array;
}

/** What the partitions of a journal share. */
export interface Shared {
  readonly tables: Tables;
  readonly options: JournalOptions;
  readonly deadLetters: DeadLetters;
  readonly reserve: Reserve;
  readonly isClosed: () => boolean;
  readonly scratches: Scratches;
}

/** Where a partition's replay starts. */
export interface Head {
  /** Events up to this sequence are covered by the snapshot. */
  readonly sequence: number;
  /** Pieces of the snapshot; 0 when nothing was pending. */
  readonly pieces: number;
  /** Last batch the snapshot covers. */
  readonly batchId: number;
}
