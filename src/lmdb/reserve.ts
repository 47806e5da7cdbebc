import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { commit } from './commit.js';
import { displacementOf } from './displaced.js';
import { readMeta } from './meta.js';

/** In pages: the tree pages a commit copies, and its share of the list of free pages. Measured: 7 at most. */
const COMMIT_PAGES = 16;
/** In pages: what always stays, beside the room for a list of free pages that is written anew as a whole. */
const MARGIN_PAGES = 64;
/** lmdb keeps 75,000 entries of that list in memory, at most; it has no more of them than the file has pages. */
const MAX_LIST_BYTES = 1_048_576;
const LIST_BYTES_PER_PAGE = 16;
/** Of an entry that is removed: its place in the list of free pages, per page of its value, and in the tree. */
const FREED_BYTES_PER_PAGE = 8;
const REMOVAL_BYTES = 64;
/** A key at a place of its own: its leaf is copied, and may be split. */
const SCATTERED_PAGES = 2;
/** The file grows by so much at a time, before less than that is left beside the margin. */
const STEP_BYTES = 1_048_576;
/** After a failure the file is not tried to be made longer than it must be for so long. */
const PAUSE_MS = 200;
const ZEROS = Buffer.alloc(262_144);

const append = promisify(write);

/**
 * Keeps the data file longer than lmdb has used of it, so that no commit has to make it longer, and a full disk fails
 * a write of ours instead of one of lmdb's. When a page cannot be written, lmdb 3.5 composes a message about it in too
 * little memory, which may break the heap and end the process, and prints on stderr.
 *
 * Why this is enough: lmdb takes pages that are free, or else those behind the last one it has used. The bytes of
 * those are there already, as zeros that were really written, so that a file system that writes in place has blocks
 * for them. One that writes each block to a new place (btrfs, ZFS) may still run full under lmdb.
 *
 * Why lmdb does not mind: it goes by the last page that its meta record names, never by the length of the file, which
 * it only looks at to make copies. It maps as much as that page and its own map size ask for, and neither cuts the
 * file off nor makes it longer but by writing a page.
 *
 * The zeros are appended, wherever the end is at that moment, so that they could not come to lie on a page of lmdb
 * even if an estimate were wrong.
 */
export class Reserve {
  /** Why there is not enough room for the commits that make something new; undefined when there is. */
  readonly shortage: Error | undefined;
  readonly #file: string;
  readonly #fd: number;
  #fileBytes: number;
  #pageBytes = 0;
  #usedBytes = 0;
  /** Bytes behind what is used or may be used by the commits under way: no more than there really are. */
  #leftBytes = 0;
  #marginBytes = 0;
  #underWayBytes = 0;
  #growing: Promise<void> | undefined;
  #pausedUntilMs = 0;
  #closed = false;

  /** For the data file of an environment that is open already. */
  constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, 'a+');
    this.#fileBytes = fstatSync(this.#fd).size;
    this.#look();
    try {
      if (this.#isLow(0))
        while (this.#wantsMore(0)) this.#appended(writeSync(this.#fd, ZEROS, 0, ZEROS.length));
    } catch (error) {
      if (this.#leftBytes < this.#marginBytes + this.bytesToStore(0)) this.shortage = error as Error;
    }
  }

  /** What a commit needs that stores values of so many bytes, and changes so many keys all over a table. */
  bytesToStore(bytes: number, scattered = 0): number {
    return (COMMIT_PAGES + SCATTERED_PAGES * scattered) * this.#pageBytes + bytes;
  }

  /** What a commit needs that removes so many neighbours, whatever the size of their values. */
  bytesToRemove(entries: number): number {
    const pages = this.#usedBytes / this.#pageBytes;
    return this.bytesToStore(Math.ceil(REMOVAL_BYTES * entries + FREED_BYTES_PER_PAGE * pages));
  }

  /**
   * Waits for a write, or for several of one turn, that need so many bytes, to be on disk. Rejects, as `commit` does or
   * with the reason why the file cannot be made longer; or because the reserve was closed meanwhile.
   */
  async commit(bytes: number, put: () => Promise<unknown>): Promise<void> {
    while (!this.#take(bytes)) {
      await this.#grow(bytes);
      // A write to an environment that was closed meanwhile would end the process.
      if (this.#closed) throw new Error('the environment was closed');
    }
    try {
      await commit(put);
    } finally {
      this.#underWayBytes -= bytes;
    }
  }

  /**
   * Why a restart would not find what is committed: somebody has moved or deleted the file. Undefined while it is in its
   * place, and when the reserve is closed. Takes some microseconds.
   */
  displacement(): Error | undefined {
    return this.#closed ? undefined : displacementOf(this.#file, this.#fd);
  }

  /** Commits fail from now on, those that wait for room and new ones. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#growing?.catch(() => {});
    closeSync(this.#fd);
  }

  /** What is left is known exactly only here; in between, every commit is taken to use all that it may. */
  #look(): void {
    const meta = readMeta(this.#fd);
    if (!meta) throw new Error('the data file of lmdb has changed under it');
    // Read while lmdb writes it, it may be that of the last commit: the present one is still under way then.
    this.#pageBytes = meta.pageBytes;
    this.#usedBytes = meta.usedBytes;
    this.#leftBytes = this.#fileBytes - meta.usedBytes - this.#underWayBytes;
    const listBytes = (LIST_BYTES_PER_PAGE * meta.usedBytes) / meta.pageBytes;
    this.#marginBytes = MARGIN_PAGES * meta.pageBytes + Math.min(MAX_LIST_BYTES, listBytes);
  }

  #take(bytes: number): boolean {
    if (this.#closed) return false;
    if (this.#isLow(bytes)) {
      this.#look();
      // In time, so that nobody has to wait for it.
      if (this.#isLow(bytes) && performance.now() >= this.#pausedUntilMs) this.#grow(bytes).catch(() => {});
      if (this.#leftBytes - bytes < this.#marginBytes) return false;
    }
    this.#leftBytes -= bytes;
    this.#underWayBytes += bytes;
    return true;
  }

  #isLow(bytes: number): boolean {
    return this.#leftBytes - bytes < this.#marginBytes + STEP_BYTES;
  }

  #wantsMore(bytes: number): boolean {
    return this.#leftBytes - bytes < this.#marginBytes + 2 * STEP_BYTES;
  }

  #grow(bytes: number): Promise<void> {
    this.#growing ??= this.#append(bytes).finally(() => {
      this.#growing = undefined;
    });
    return this.#growing;
  }

  async #append(bytes: number): Promise<void> {
    try {
      while (!this.#closed && this.#wantsMore(bytes))
        this.#appended((await append(this.#fd, ZEROS, 0, ZEROS.length, null)).bytesWritten);
    } catch (error) {
      this.#pausedUntilMs = performance.now() + PAUSE_MS;
      throw error;
    }
  }

  #appended(bytes: number): void {
    this.#fileBytes += bytes;
    this.#leftBytes += bytes;
  }
}
