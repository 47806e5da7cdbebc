import type { Database, RootDatabase } from 'lmdb';
import type { DeadLetter } from '../../model/dead-letter.js';

/** How the journal is divided: changed as a whole, in one transaction. */
export interface StoredLayout {
  /** Rises with each change of `writers`; part of every key, so that two layouts never mix. */
  readonly epoch: number;
  /** Number of partitions, `writers.count` when it was written. */
  readonly writers: number;
}

/** Where a partition's replay starts. */
export interface Head {
  /** Records up to this sequence are covered by the snapshot. */
  readonly sequence: number;
  /** Pieces of the snapshot; 0 when nothing was pending. */
  readonly pieces: number;
  /** Last batch the snapshot covers. */
  readonly batchId: number;
}

/** Of a partition that has no snapshot. */
export const NO_HEAD: Head = { sequence: 0, pieces: 0, batchId: 0 };

/** A record that was taken out of the journal because it is damaged, or because its writer crashes on it. */
export interface Quarantined {
  readonly partition: number;
  readonly sequence: number;
  readonly error: string;
  readonly bytes: Uint8Array;
}

/** The databases of the environment that hold partitions; keys are ordered arrays. */
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

/** More than there are. */
export const MAX_DATABASES = 8;

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
