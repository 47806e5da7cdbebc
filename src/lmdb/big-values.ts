import { closeSync, openSync, readSync } from 'node:fs';
import { BIG_PAGES_AT, HEADER_BYTES, leavesOf, ROOT_AT } from './data-tree.js';
import { readMeta } from './meta.js';

/** A value that lies on pages of its own, where it is as long as its entry is not changed. */
export interface BigValue {
  /** As lmdb stores it. */
  readonly key: Buffer;
  /** Where its bytes begin in the file. */
  readonly at: number;
  readonly length: number;
}

/**
 * Reads large values of a data file with read calls. lmdb would read them through its map, and what was read so counts
 * as memory of the process until the environment is closed, or the kernel needs it.
 */
export class BigValues {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, 'r');
  }

  /**
   * The large values of a named database, by key. To be read to its end while nobody writes: pages of the tree change
   * place with any commit, those of a value do not. Yields nothing when there is no such database.
   */
  *of(name: string): Generator<BigValue> {
    const meta = readMeta(this.#fd);
    if (!meta) return;
    for (const { key, page, data, isTree } of leavesOf(this.#fd, meta, meta.roots[1])) {
      if (!isTree || nameOf(key) !== name) continue;
      const root = Number(page.readBigUInt64LE(data + ROOT_AT));
      for (const leaf of leavesOf(this.#fd, meta, root))
        if (leaf.isBig && leaf.data + BIG_PAGES_AT + 8 <= leaf.page.length)
          yield {
            key: leaf.key,
            at: Number(leaf.page.readBigUInt64LE(leaf.data)) * meta.pageBytes + HEADER_BYTES,
            length: leaf.length,
          };
      return;
    }
  }

  /** The bytes of a value; undefined when the file ends before them. */
  read({ at, length }: Pick<BigValue, 'at' | 'length'>): Uint8Array | undefined {
    const bytes = Buffer.allocUnsafeSlow(length);
    return readSync(this.#fd, bytes, 0, length, at) === length ? bytes : undefined;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** lmdb ends names of databases with a zero, or not. */
function nameOf(key: Buffer): string {
  return key.toString('utf8').replace(/\0$/, '');
}
