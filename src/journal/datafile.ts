import { closeSync, openSync, readSync } from 'node:fs';

/** Of an lmdb data file: its first page begins with a page header, then magic and version of the format. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const VERSION_AT = 28;
const VERSION = 2;
const READ_BYTES = 32;

/**
 * Throws when `file` is there, not empty, and no data file of the lmdb we have: opening such a file ends the whole
 * process with a segmentation fault instead of an error.
 */
export function checkDataFile(file: string): void {
  const start = Buffer.alloc(READ_BYTES);
  let bytes: number;
  try {
    const fd = openSync(file, 'r');
    try {
      bytes = readSync(fd, start);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (bytes === 0) return;
  if (
    bytes < READ_BYTES ||
    start.readUInt32LE(MAGIC_AT) !== MAGIC ||
    start.readUInt32LE(VERSION_AT) !== VERSION
  ) {
    throw new Error(`${file} is no data file of this version of lmdb`);
  }
}
