import { renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database, RangeOptions, RootDatabase } from 'lmdb';
import { lockJournal } from '../lmdb/lock.js';
import { dataFileOf, openEnvironment } from '../lmdb/open-environment.js';
import { Reserve } from '../lmdb/reserve.js';
import { makeDir } from '../model/make-dir.js';

/**
 * The database of the history: `data.mdb`, `lock.mdb` and `lock` in a folder of its own. Root database: FORMAT_KEY →
 * FORMAT. All keys are bytes that sort as their parts do:
 *
 * | database | key | value |
 * | --- | --- | --- |
 * | events | id | what happened |
 * | incidents | id | an incident, as it was last written |
 * | open | id | none: it runs |
 * | ended | second it ended, id | none |
 * | minutes | minute, modid and cmdid of the first | a block of SERVICES |
 * | tens | first minute of ten, modid and cmdid of the first | the same, of ten minutes |
 * | hosts | minute, key of the first | a block of HOSTS |
 * | coverage | minute | seconds of it that the view was live, 16 bits |
 */
export const TABLES = [
  'events',
  'incidents',
  'open',
  'ended',
  'minutes',
  'tens',
  'hosts',
  'coverage',
] as const;
export type TableName = (typeof TABLES)[number];

/** What one key of a table is to hold; without a value the key goes. */
export interface Change {
  readonly table: TableName;
  readonly key: Buffer;
  readonly value?: Buffer;
}

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface Range {
  /** Both included. `from` is above `to` when `isReverse`. */
  readonly from?: Buffer;
  readonly to?: Buffer;
  readonly isReverse?: boolean;
  readonly limit?: number;
}

/** Nothing: of keys that say all. */
export const NOTHING = Buffer.alloc(0);

const FORMAT_KEY = Buffer.from('lars-reporter-history');
const FORMAT = '1';
/** Longer files are not read as a whole at the start. */
const CHECKED_BYTES = 134_217_728;
/** Beside key and value, what an entry takes in a leaf. */
const ENTRY_BYTES = 16;
/** Longer values lie on pages of their own. */
const LEAF_BYTES = 2_000;

interface Stats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
}

/** Whoever calls it waits for one commit before asking for the next, and for the last one before closing it. */
export class HistoryFile {
  readonly #file: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #tables: Readonly<Record<TableName, Database<Buffer, Buffer>>>;
  readonly #reserve: Reserve;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  /** Opens the folder, makes it when it is missing. Throws why it cannot be used. */
  static open(dir: string): HistoryFile {
    makeDir(dir);
    const advice = 'stop that process, or give this one a history.dir of its own';
    const release = lockJournal(join(dir, 'lock'), dir, advice, 'history');
    try {
      return new HistoryFile(dir, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(dir: string, release: () => void) {
    this.#release = release;
    this.#file = dataFileOf(dir);
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    this.#root = openEnvironment<Buffer, Buffer>({
      ...{ dir, keyEncoding: 'binary', encoding: 'binary', maxDbs: TABLES.length },
      hasSmallTrees: size <= CHECKED_BYTES,
    });
    let reserve: Reserve | undefined;
    try {
      reserve = new Reserve(this.#file);
      // Before anything is written: lmdb is not to meet a full disk.
      if (reserve.shortage) throw reserve.shortage;
      const isNew = statsOf(this.#root).entryCount === 0;
      if (isNew) this.#root.putSync(FORMAT_KEY, Buffer.from(FORMAT));
      const format = this.#root.get(FORMAT_KEY)?.toString();
      if (format !== FORMAT)
        throw new Error(
          `${dir} holds ${format === undefined ? 'something else' : `format ${format} of the history`}, needed is format ${FORMAT}; give history.dir a folder of its own`,
        );
      const opened = TABLES.map((name) => [
        name,
        this.#root.openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary' }),
      ]);
      this.#tables = Object.fromEntries(opened) as Record<TableName, Database<Buffer, Buffer>>;
      this.#reserve = reserve;
    } catch (error) {
      reserve?.close().catch(() => {});
      this.#root.close().catch(() => {});
      throw error;
    }
  }

  get(table: TableName, key: Buffer): Buffer | undefined {
    return this.#tables[table].get(key);
  }

  /** In the order of the keys. What comes out is to be used up before anything is awaited. */
  range(table: TableName, { from, to, isReverse = false, limit }: Range): Iterable<Entry> {
    const options: RangeOptions = {
      ...(from ? { start: from } : {}),
      ...(to ? { end: to } : {}),
      ...(limit === undefined ? {} : { limit }),
      ...{ inclusiveEnd: true, reverse: isReverse },
    };
    return this.#tables[table].getRange(options);
  }

  /** The last entry; undefined of an empty table. */
  last(table: TableName): Entry | undefined {
    for (const entry of this.range(table, { isReverse: true, limit: 1 })) return entry;
    return undefined;
  }

  first(table: TableName): Entry | undefined {
    for (const entry of this.range(table, { limit: 1 })) return entry;
    return undefined;
  }

  entries(table: TableName): number {
    return statsOf(this.#tables[table]).entryCount;
  }

  /** Of the disk. It never gets shorter. */
  get fileBytes(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Of pages that hold something. */
  get usedBytes(): number {
    return TABLES.reduce((sum, table) => {
      const { pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } = statsOf(
        this.#tables[table],
      );
      return sum + pageSize * (treeBranchPageCount + treeLeafPageCount + overflowPages);
    }, 0);
  }

  /** Bytes that an entry takes, about. */
  static bytesOf({ key, value }: Entry): number {
    const inLeaf = ENTRY_BYTES + key.length;
    return value.length > LEAF_BYTES ? inLeaf + 4_096 : inLeaf + value.length;
  }

  /** Writes all of it or nothing, and waits for the disk. Rejects with what it failed of. */
  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    if (this.#closing) throw new Error('the history was closed');
    await this.#reserve.commit(this.#bytesFor(changes), () =>
      this.#root.batch(() => {
        for (const { table, key, value } of changes)
          if (value) this.#tables[table].put(key, value);
          else this.#tables[table].remove(key);
      }),
    );
    const displacement = this.#reserve.displacement();
    if (displacement) throw displacement;
  }

  #bytesFor(changes: readonly Change[]): number {
    let bytes = 0;
    let removed = 0;
    const touched = new Map<TableName, number>();
    for (const { table, key, value } of changes) {
      touched.set(table, (touched.get(table) ?? 0) + 1);
      if (value) bytes += 2 * HistoryFile.bytesOf({ key, value });
      else removed++;
    }
    // New ones come to the end, one behind the other; others lie anywhere.
    let scattered = 0;
    for (const [table, count] of touched)
      scattered += Math.min(count, statsOf(this.#tables[table]).treeLeafPageCount + 1);
    return this.#reserve.bytesToStore(bytes, scattered) + this.#reserve.bytesToRemove(removed);
  }

  /**
   * Closes it, and leaves a copy without free pages in its place: the file is as long as it ever was, and only so gets
   * shorter. Rejects when there is no room for the copy; then it is as before, and open.
   */
  async closeCompacted(): Promise<void> {
    const dir = `${dirname(this.#file)}/compact`;
    try {
      rmSync(dir, { recursive: true, force: true });
      makeDir(dir);
      await this.#root.backup(dir, true);
      await this.#reserve.close();
      await this.#root.close();
      renameSync(dataFileOf(dir), this.#file);
      this.#closing = Promise.resolve();
      this.#release();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // First, so that nobody who waits for room writes to an environment that is closed.
    await this.#reserve.close();
    await this.#root.close();
    this.#release();
  }
}

function statsOf(database: Database<Buffer, Buffer>): Stats {
  return database.getStats() as Stats;
}
