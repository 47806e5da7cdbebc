import { spawnSync } from 'node:child_process';
import { closeSync, fchownSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, ReporterError } from '../model/errors.js';

const require = createRequire(import.meta.url);

/** The data file in the folder of the lock file. */
const DATA = 'data.mdb';

/** False when somebody else holds a lock on the file. Throws on any other failure. */
type TryLock = (fd: number, how: { readonly shared: boolean }) => boolean;

/**
 * Takes the journal directory for this process: an advisory lock of the operating system on `file`, and on the data
 * file beside it, which go when the process goes, however it ends. Returns the release. Throws ReporterError
 * JOURNAL_IN_USE when another process, or another reporter of this one, holds one; `advice` says what to do then,
 * `what` names what the folder holds.
 *
 * The data file, too, because whoever cleans up a folder may delete a lock file that is old: the next process would
 * make a new one, lock that, and write into what the first one writes.
 */
export function lockJournal(
  file: string,
  dir: string,
  advice = 'stop that reporter, or give this one a journal.dir of its own',
  what = 'journal',
): () => void {
  keepOwner(dirname(file));
  const release = lockFile(openSync(file, 'a+'), { file, dir, advice, what, shared: false });
  try {
    // An empty one is a new one, for lmdb, too.
    const data = openSync(join(dirname(file), DATA), 'a+', 0o664);
    return both(release, lockData(data, { dir, advice, what }, false));
  } catch (error) {
    release();
    throw error;
  }
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    second();
    first();
  };
}

/** Nothing is written to it. */
function lockData(
  fd: number,
  { dir, advice, what = 'journal' }: Pick<LockOptions, 'dir' | 'advice' | 'what'>,
  shared: boolean,
) {
  let locked = false;
  try {
    locked = tryLock(fd, { shared });
    if (!locked)
      throw new ReporterError(
        'JOURNAL_IN_USE',
        `the ${what} ${dir} is in use by another process, whose lock file was deleted: ${advice}`,
      );
  } finally {
    if (!locked) closeSync(fd);
  }
  return () => closeSync(fd);
}

/** As root, makes the lock files that are missing, for the journal's owner: root's own ones would shut the owner out. */
function keepOwner(dir: string): void {
  if (process.getuid?.() !== 0) return;
  const owner = statSync(join(dir, DATA), { throwIfNoEntry: false });
  if (!owner || owner.uid === 0) return;
  for (const name of ['lock', 'lock.mdb']) {
    try {
      const fd = openSync(join(dir, name), 'wx', 0o664);
      fchownSync(fd, owner.uid, owner.gid);
      closeSync(fd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * As `lockJournal`, for a process that only reads: it makes no file. A lock file that this user may not write is
 * locked together with other readers; where there is none, as in a copy of a journal, the data file alone is locked,
 * together with other readers.
 */
export function lockJournalToRead(file: string, dir: string, advice: string): () => void {
  for (const flags of ['r+', 'r']) {
    let fd: number;
    try {
      fd = openSync(file, flags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') break;
      if (flags === 'r+' && (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')) continue;
      throw error;
    }
    return lockFile(fd, { file, dir, advice, shared: flags === 'r' });
  }
  return lockData(openSync(join(dirname(file), DATA), 'r'), { dir, advice }, true);
}

interface LockOptions {
  /** `journal` unless given. */
  readonly what?: string;
  readonly file: string;
  readonly dir: string;
  readonly advice: string;
  /** Others may hold it, too, if they share it. The file is not written then. */
  readonly shared: boolean;
}

function lockFile(fd: number, { file, dir, advice, what = 'journal', shared }: LockOptions): () => void {
  let locked = false;
  try {
    locked = tryLock(fd, { shared });
    if (!locked) {
      const holder = readFileSync(file, 'utf8').trim() || 'unknown';
      throw new ReporterError(
        'JOURNAL_IN_USE',
        `the ${what} ${dir} is in use by process ${holder}: ${advice}`,
      );
    }
    if (!shared) {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
    }
  } finally {
    if (!locked) closeSync(fd);
  }
  return () => closeSync(fd);
}

/** An advisory lock of the operating system on the whole file, which goes when `fd` is closed. */
export const tryLock: TryLock = (fd, how) => (nativeLock() ?? lockByCommand)(fd, how);

/** Undefined where the package has no build, as on musl (Alpine). */
function nativeLock(): TryLock | undefined {
  try {
    return (require('fs-native-extensions') as { tryLock: TryLock }).tryLock;
  } catch {
    return undefined;
  }
}

/**
 * The lock of the command `flock`, of busybox or util-linux. It locks the open file, which the command shares with this
 * process, and so the lock outlives the command and goes with this process, as that of the package does.
 *
 * The two are different locks: processes with the one and processes with the other do not see each other. That takes
 * an Alpine and another system at work on one folder.
 */
function lockByCommand(fd: number, { shared }: { readonly shared: boolean }): boolean {
  const { status, error, stderr } = spawnSync('flock', [shared ? '-s' : '-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  if (status === 0) return true;
  // Both commands exit with 1 and say nothing.
  if (status === 1 && stderr.length === 0) return false;
  const why = error ? messageOf(error) : `flock: ${stderr.toString().trim() || `exit code ${status}`}`;
  throw new ReporterError(
    'JOURNAL_UNUSABLE',
    `the journal cannot be locked (${why}): the package fs-native-extensions has no build for this system, ` +
      'so that the command flock is needed, of util-linux or busybox',
  );
}
