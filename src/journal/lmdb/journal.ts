import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { checkDataFile } from '../../lmdb/data-file.js';
import { lockJournal } from '../../lmdb/lock.js';
import { Reserve } from '../../lmdb/reserve.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import { makeDir } from '../../model/make-dir.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import { encodePiece, JOURNAL_FORMAT, ROWS_PER_PIECE } from '../record.js';
import { DeadLetters } from './dead-letters.js';
import { otherFormat } from './format.js';
import { PartitionJournal } from './partition.js';
import { PeerTable } from './peers.js';
import { Scratches } from './scratch.js';
import { type PartitionSurvey, type Survey, surveyPartition } from './survey.js';
import { type Head, type JournalOptions, type Layout, openDatabases, type Tables } from './tables.js';

/**
 * The durable memory of the writers: one lmdb environment, whose commits all partitions share (a commit costs
 * one fsync, however many writers wait for it). Promises of appends resolve when the data is on disk.
 *
 * lmdb has its limits here: the file keeps the size it once had, and freed pages are used again. See `Reserve` for why
 * it is longer than what is used of it.
 */
export class Journal {
  /** Random, stable over restarts: tells reporters apart that share a database server. */
  readonly id: string;
  readonly peers: PeerTable;
  readonly deadLetters: DeadLetters;
  readonly options: JournalOptions;
  #layout: Layout;
  readonly #environment: RootDatabase;
  readonly #meta: Database<unknown, string>;
  readonly #tables: Tables;
  readonly #reserve: Reserve;
  readonly #release: () => void;
  readonly #scratches = new Scratches();
  #closed = false;
  #closing: Promise<void> | undefined;
  #quarantined: number;

  /**
   * Opens or creates the journal. Throws ReporterError: JOURNAL_IN_USE, JOURNAL_VERSION, or JOURNAL_UNUSABLE when
   * the directory cannot be created, read or written, or holds something else.
   */
  static open(options: JournalOptions): Journal {
    const { dir } = options;
    try {
      makeDir(dir);
      accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw unusable(dir, error);
    }
    let release: () => void;
    try {
      release = lockJournal(join(dir, 'lock'), dir);
    } catch (error) {
      throw error instanceof ReporterError ? error : unusable(dir, error);
    }
    try {
      checkDataFile(join(dir, 'data.mdb'));
      return new Journal(options, release);
    } catch (error) {
      release();
      throw error instanceof ReporterError ? error : foreign(dir, error);
    }
  }

  private constructor(options: JournalOptions, release: () => void) {
    this.options = {
      ...options,
      onQuarantine: (partition, sequence, error) => {
        this.#quarantined++;
        options.onQuarantine?.(partition, sequence, error);
      },
    };
    this.#release = release;
    const environment = open({
      path: options.dir,
      maxDbs: 8,
      // A path with a dot in it would be taken for a file.
      noSubdir: false,
      // A commit's promise resolves after the fsync, not before it.
      overlappingSync: false,
      // On, each turn's commit has one more promise that nobody can get hold of: a full disk rejects it, which ends
      // the process. Writes of one turn share a commit all the same.
      eventTurnBatching: false,
    });
    let reserve: Reserve | undefined;
    try {
      this.#environment = environment;
      const format = storedFormat(environment);
      if (format !== undefined && format !== JOURNAL_FORMAT) throw otherFormat(options.dir, format);
      reserve = new Reserve(join(options.dir, 'data.mdb'));
      this.#reserve = reserve;
      const { shortage } = reserve;
      // A journal that is complete can be opened, and waits until it can be written; one that is not must be made.
      const databases = openDatabases(environment, shortage === undefined);
      if (shortage && (format === undefined || Object.values(databases).includes(undefined)))
        throw unwritable(options.dir, shortage);
      this.#meta = databases.meta;
      this.#tables = databases;
      this.#quarantined = this.#tables.quarantine.getKeysCount();
      this.id = this.#identify(options);
      this.#layout = this.#meta.get('layout') as Layout;
      const { events, snapshots, quarantine } = databases;
      this.peers = new PeerTable(databases.peers, {
        reserve: this.#reserve,
        isUnused: () =>
          !this.#reserve.shortage && [events, snapshots, quarantine].every((table) => isEmpty(table)),
      });
      this.deadLetters = new DeadLetters(databases.deadLetters, this.peers);
    } catch (error) {
      void reserve?.close();
      void environment.close();
      throw error;
    }
  }

  /** Writes the first records of a new journal. Returns the journal's id. */
  #identify(options: JournalOptions): string {
    if (this.#meta.get('format') === undefined) {
      const id = randomBytes(8).toString('hex');
      this.#environment.transactionSync(() => {
        this.#meta.putSync('format', JOURNAL_FORMAT);
        this.#meta.putSync('id', id);
        this.#meta.putSync('layout', { epoch: 1, writers: options.writers } satisfies Layout);
      });
      return id;
    }
    return String(this.#meta.get('id'));
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** Records that were put into quarantine, and are kept there. */
  get quarantined(): number {
    return this.#quarantined;
  }

  /** The journal of one partition of the present layout. To be asked for once a partition. */
  partition(index: number): PartitionJournal {
    const shared = {
      tables: this.#tables,
      options: this.options,
      deadLetters: this.deadLetters,
      reserve: this.#reserve,
      isClosed: () => this.#closed,
      scratches: this.#scratches,
    };
    return new PartitionJournal(shared, this.#layout.epoch, index);
  }

  /** Reads a partition as it is stored, changing nothing; see `surveyPartition`. */
  survey(index: number, onEvent: Survey['onEvent']): PartitionSurvey {
    return surveyPartition({ tables: this.#tables, epoch: this.#layout.epoch, partition: index, onEvent });
  }

  /**
   * Replaces all partitions by new ones that hold `rowsOf(partition)` as their snapshots. A kill at any moment
   * leaves the old layout or the new one: the pieces are written beside the old keys, one transaction switches
   * over, and what is no longer reachable is removed afterwards (or by the next `tidy`).
   */
  async relayout(writers: number, rowsOf: (partition: number) => Int32Array): Promise<void> {
    const next: Layout = { epoch: this.#layout.epoch + 1, writers };
    await this.#removeOtherEpochs();
    const heads: Head[] = [];
    for (let partition = 0; partition < writers; partition++) {
      const rows = rowsOf(partition);
      let pieces = 0;
      for (const piece of piecesOf(rows)) {
        const key = [next.epoch, partition, 0, pieces++];
        const bytes = encodePiece(piece);
        const need = this.#reserve.bytesToStore(bytes.length);
        await this.#commit(need, () => this.#tables.snapshots.put(key, bytes));
      }
      heads.push({ sequence: 0, pieces, batchId: 0 });
    }
    await this.#commit(this.#reserve.bytesToStore(0, writers), () =>
      this.#environment.batch(() => {
        for (const [partition, head] of heads.entries())
          void this.#tables.heads.put([next.epoch, partition], head);
        void this.#meta.put('layout', next);
      }),
    );
    this.#layout = next;
    await this.#removeOtherEpochs();
  }

  /** Removes what a kill during a change of layout left behind. Before the first replay. */
  async tidy(): Promise<void> {
    await this.#removeOtherEpochs();
  }

  /** Removes what a change of layout, finished or not, left behind. */
  async #removeOtherEpochs(): Promise<void> {
    for (const table of [this.#tables.events, this.#tables.snapshots, this.#tables.heads]) {
      for (;;) {
        const { epoch } = this.#layout;
        const before = table.getKeys({ end: [epoch], limit: 1000 }).asArray;
        const after = table.getKeys({ start: [epoch + 1], limit: 1000 }).asArray;
        const keys = [...(await before), ...(await after)];
        if (keys.length === 0) break;
        await this.#commit(this.#reserve.bytesToRemove(keys.length), () =>
          table.batch(() => keys.forEach((key) => void table.remove(key))),
        );
      }
    }
  }

  /** Not tried again: nothing depends on it that a later start could not do. */
  async #commit(bytes: number, put: () => Promise<unknown>): Promise<void> {
    try {
      if (this.options.faults) await this.options.faults.beforeCommit?.();
      await this.#reserve.commit(bytes, put);
    } catch (error) {
      throw unwritable(this.options.dir, error);
    }
  }

  /** Appends fail from now on; closes the environment and gives the directory free. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.deadLetters.close();
    // First, so that nobody who waits for room writes to an environment that is closed.
    await this.#reserve.close();
    await this.#environment.close();
    this.#release();
  }
}

function isEmpty(table: { getKeys(range: { limit: number }): Iterable<unknown> }): boolean {
  for (const _ of table.getKeys({ limit: 1 })) return false;
  return true;
}

function* piecesOf(rows: Int32Array): Generator<Int32Array> {
  const words = ROWS_PER_PIECE * WORDS_PER_ROW;
  for (let at = 0; at < rows.length; at += words) yield rows.subarray(at, at + words);
}

/** The format that an old journal says it has; undefined in a new one. */
function storedFormat(environment: RootDatabase): unknown {
  const options = { name: 'meta', encoding: 'json', create: false } as const;
  const meta: Database<unknown, string> | undefined = environment.openDB(options);
  return meta?.get('format');
}

function unwritable(dir: string, error: unknown): ReporterError {
  return new ReporterError(
    'JOURNAL_UNUSABLE',
    `the journal in ${dir} cannot be written (${messageOf(error)}): make room on its disk, or repair it`,
    { cause: error },
  );
}

function foreign(dir: string, error: unknown): ReporterError {
  return new ReporterError(
    'JOURNAL_UNUSABLE',
    `${dir} holds no journal of this program, or a damaged one (${messageOf(error)}): ` +
      'set journal.dir to another directory, or bring back a copy of this one',
    { cause: error },
  );
}

function unusable(dir: string, error: unknown): ReporterError {
  return new ReporterError(
    'JOURNAL_UNUSABLE',
    `the journal directory ${dir} cannot be used (${messageOf(error)}): ` +
      'set journal.dir to a directory this user may create and write',
    { cause: error },
  );
}
