import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing. Throws the error of the system: EACCES, ENOTDIR, EROFS, …
 *
 * Not `mkdirSync` with `recursive`: where nothing can be made although the folder above is there, as in /proc, that
 * of Node 20 goes round for ever.
 */
export function makeDir(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw notADirectory(dir);
  const above = dirname(dir);
  if (above !== dir) makeDir(above);
  try {
    mkdirSync(dir);
  } catch (error) {
    // Somebody else may have made it in this moment.
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** The error the system gives for a file in the place of a folder, which depends on the call and on Node's version. */
export function notADirectory(file: string): Error {
  return Object.assign(new Error(`ENOTDIR: ${file} is not a folder`), { code: 'ENOTDIR' });
}
