import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { lockJournal } from '../../lmdb/lock.js';
import { dataFileOf, openEnvironment } from '../../lmdb/open-environment.js';
import { Reserve } from '../../lmdb/reserve.js';
import { messageOf, ReporterError } from '../../model/errors.js';
import { makeDir } from '../../model/make-dir.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import type { Journal, JournalOptions, PartitionSurvey } from '../contract.js';
import { encodePiece, JOURNAL_FORMAT, ROWS_PER_PIECE } from '../record.js';
import { Commits } from './commits.js';
import { DeadLetterTable } from './dead-letters.js';
import { otherFormat } from './format.js';
import { LmdbPartition } from './partition.js';
import { PeerTable } from './peers.js';
import type { Shared } from './place.js';
import { Quarantine } from './quarantine.js';
import { Scratches } from './scratches.js';
import { type Survey, surveyPartition } from './survey.js';
import { type Databases, type Head, MAX_DATABASES, openDatabases, type StoredLayout } from './tables.js';
import { Unmapped } from './unmapped.js';

/**
 * One lmdb environment, whose commits all partitions share: a commit costs one fsync, however many writers wait for it.
 *
 * lmdb has its limits here: the file keeps the size it once had, and freed pages are used again. See `Reserve` for why
 * it is longer than what is used of it.
 */
export class LmdbJournal implements Journal {
  readonly id: string;
  readonly peers: PeerTable;
  readonly deadLetters: DeadLetterTable;
  readonly #options: JournalOptions;
  readonly #environment: RootDatabase;
  readonly #meta: Database<unknown, string>;
  readonly #reserve: Reserve;
  readonly #release: () => void;
  readonly #shared: Shared;
  #layout: StoredLayout;
  #closing: Promise<void> | undefined;

  /**
   * Opens or creates the journal. Throws ReporterError: JOURNAL_IN_USE, JOURNAL_VERSION, or JOURNAL_UNUSABLE when
   * the directory cannot be created, read or written, or holds something else.
   */
  static open(options: JournalOptions): LmdbJournal {
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
      return new LmdbJournal(options, release);
    } catch (error) {
      release();
      throw error instanceof ReporterError ? error : foreign(dir, error);
    }
  }

  private constructor(options: JournalOptions, release: () => void) {
    this.#options = options;
    this.#release = release;
    const { dir, events, faults } = options;
    const environment = openEnvironment({ dir, maxDbs: MAX_DATABASES, hasSmallTrees: true });
    let reserve: Reserve | undefined;
    try {
      this.#environment = environment;
      const format = storedFormat(environment);
      if (format !== undefined && format !== JOURNAL_FORMAT) throw otherFormat(dir, format);
      reserve = new Reserve(dataFileOf(dir));
      this.#reserve = reserve;
      const tables = openTables(options, environment, reserve, format === undefined);
      this.#meta = tables.meta;
      this.id = this.#identify(options);
      this.#layout = this.#meta.get('layout') as StoredLayout;
      const hasRoom = reserve.shortage === undefined;
      this.peers = new PeerTable(tables.peers, {
        reserve,
        isUnused: () =>
          hasRoom && [tables.events, tables.snapshots, tables.quarantine].every((table) => isEmpty(table)),
      });
      this.deadLetters = new DeadLetterTable(tables.deadLetters, this.peers);
      this.#shared = {
        tables,
        commits: new Commits(reserve, events, faults),
        deadLetters: this.deadLetters,
        quarantine: new Quarantine(tables.quarantine, events),
        scratches: new Scratches(),
        faults,
        unmapped: new Unmapped(dataFileOf(dir), this.#layout.epoch),
      };
    } catch (error) {
      void reserve?.close();
      void environment.close();
      throw error;
    }
  }

  /** Writes the first records of a new journal. Returns the journal's id. */
  #identify({ writers }: JournalOptions): string {
    if (this.#meta.get('format') === undefined) {
      const id = randomBytes(8).toString('hex');
      this.#environment.transactionSync(() => {
        this.#meta.putSync('format', JOURNAL_FORMAT);
        this.#meta.putSync('id', id);
        this.#meta.putSync('layout', { epoch: 1, writers } satisfies StoredLayout);
      });
      return id;
    }
    return String(this.#meta.get('id'));
  }

  get layout(): StoredLayout {
    return this.#layout;
  }

  get quarantined(): number {
    return this.#shared.quarantine.count;
  }

  partition(index: number): LmdbPartition {
    return new LmdbPartition(this.#shared, this.#layout.epoch, index);
  }

  async survey(index: number, onEvent: Survey['onEvent']): Promise<PartitionSurvey> {
    this.#shared.commits.requireOpen();
    const { tables } = this.#shared;
    return surveyPartition({ tables, epoch: this.#layout.epoch, partition: index, onEvent });
  }

  /**
   * The pieces are written beside the old keys, one transaction switches over, and what is no longer reachable is removed
   * afterwards, or by the next `tidy`.
   */
  async relayout(writers: number, rowsOf: (partition: number) => Int32Array): Promise<void> {
    const next: StoredLayout = { epoch: this.#layout.epoch + 1, writers };
    await this.tidy();
    const { tables } = this.#shared;
    const heads: Head[] = [];
    for (let partition = 0; partition < writers; partition++) {
      const rows = rowsOf(partition);
      let pieces = 0;
      for (const piece of piecesOf(rows)) {
        const key = [next.epoch, partition, 0, pieces++];
        const bytes = encodePiece(piece);
        const need = this.#reserve.bytesToStore(bytes.length);
        await this.#commit(need, () => tables.snapshots.put(key, bytes));
      }
      heads.push({ sequence: 0, pieces, batchId: 0 });
    }
    await this.#commit(this.#reserve.bytesToStore(0, writers), () =>
      this.#environment.batch(() => {
        for (const [partition, head] of heads.entries()) void tables.heads.put([next.epoch, partition], head);
        void this.#meta.put('layout', next);
      }),
    );
    this.#layout = next;
    await this.tidy();
  }

  /** Removes what a change of layout, finished or cut off by a kill, left behind. Before the first replay. */
  async tidy(): Promise<void> {
    const { events, snapshots, heads } = this.#shared.tables;
    for (const table of [events, snapshots, heads]) {
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
      await this.#options.faults?.beforeCommit?.();
      await this.#reserve.commit(bytes, put);
    } catch (error) {
      throw unwritable(this.#options.dir, error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shared.commits.close();
    this.deadLetters.close();
    this.#shared.unmapped.close();
    // First, so that nobody who waits for room writes to an environment that is closed.
    await this.#reserve.close();
    await this.#environment.close();
    this.#release();
  }
}

/** A journal that is complete can be opened, and waits until it can be written; one that is not must be made. */
function openTables(
  { dir }: JournalOptions,
  environment: RootDatabase,
  { shortage }: Reserve,
  isNew: boolean,
): Databases {
  const databases = openDatabases(environment, shortage === undefined);
  if (shortage && (isNew || Object.values(databases).includes(undefined))) throw unwritable(dir, shortage);
  return databases;
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
