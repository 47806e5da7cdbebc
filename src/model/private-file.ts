import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Longer than any secret or key: a wrong path may name anything. */
const MAX_BYTES = 65_536;
const OTHERS = 0o007;

/** What a file holds that only some may read, or why it is not taken. */
export type PrivateFile =
  | { readonly bytes: Buffer }
  | { readonly problem: string; readonly isThere: boolean };

/**
 * Reads a file whose content is a secret. One that every user of the machine can read, write or execute is refused: its
 * secret is none. The problem is for people: it says what to do, and holds no word of the content.
 */
export function readPrivateFile(path: string): PrivateFile {
  let fd: number;
  try {
    // A pipe that nobody writes to would hold up everything.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return unreadable((error as NodeJS.ErrnoException).code);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { problem: 'is no file', isThere: true };
    if (process.platform !== 'win32' && (stat.mode & OTHERS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      return {
        problem:
          `every user of this machine may use it (mode ${mode}, of user ${stat.uid} and group ${stat.gid}), so it is ` +
          'no secret: chmod o= it, and make another secret if others have read it',
        isThere: true,
      };
    }
    if (stat.size > MAX_BYTES)
      return { problem: `has more than ${MAX_BYTES} bytes: name the right file`, isThere: true };
    return { bytes: readFileSync(fd) };
  } catch (error) {
    return unreadable((error as NodeJS.ErrnoException).code);
  } finally {
    closeSync(fd);
  }
}

function unreadable(code = 'unknown') {
  if (code === 'ENOENT' || code === 'ENAMETOOLONG' || code === 'ENOTDIR')
    return { problem: 'does not exist', isThere: false };
  const mayNot = code === 'EACCES' || code === 'EPERM';
  const user = process.getuid?.() ?? 'unknown';
  const problem = mayNot ? `user ${user}, as whom this runs, may not read it` : `cannot be read (${code})`;
  return { problem, isThere: true };
}
