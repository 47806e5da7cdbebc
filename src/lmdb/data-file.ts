import { closeSync, fstatSync, openSync } from 'node:fs';
import { damagedPage, pageEnd } from './data-tree.js';
import { readMeta } from './meta.js';

/** A data file that lmdb would crash on. */
export class DataFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DataFileError';
  }
}

/**
 * Throws DataFileError when `file` is there, not empty, and either no data file of the lmdb we have or cut off: opening the first
 * ends the whole process with a segmentation fault instead of an error, and reading the second with a bus error.
 */
export function checkDataFile(file: string): void {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return;
    const meta = readMeta(fd);
    if (!meta) throw new DataFileError(`${file} is no data file of this version of lmdb`);
    // A sound one may be shorter than what is used of it: the last pages may be free, and never written.
    if (size < meta.usedBytes && size < pageEnd(fd, meta))
      throw new DataFileError(`${file} is cut off: it has ${size} bytes instead of ${meta.usedBytes}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Throws DataFileError when a page that holds the trees of a sound file, see `checkDataFile`, is damaged. Reads all of
 * them: for a file in which they are small, and that nobody writes meanwhile.
 */
export function checkTrees(file: string): void {
  const fd = openSync(file, 'r');
  try {
    const meta = readMeta(fd);
    const page = meta && damagedPage(fd, meta);
    if (page !== undefined) throw new DataFileError(`${file} is damaged: page ${page} is none of lmdb's`);
  } finally {
    closeSync(fd);
  }
}
