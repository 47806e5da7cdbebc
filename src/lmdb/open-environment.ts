import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { checkDataFile, checkTrees } from './data-file.js';

/**
 * lmdb 3.5, opened so that none of its traps is open. The whole list, each with the place where it is closed:
 *
 * | lmdb does this | closed by |
 * | --- | --- |
 * | takes a folder with a dot in its name for a file | `noSubdir: false`, here |
 * | resolves a write before it is on disk | `overlappingSync: false`, here |
 * | makes a commit of each turn of the event loop, with a promise nobody can get hold of: a full disk rejects it, and the process ends | `eventTurnBatching: false`, here; writes of one turn share a commit all the same |
 * | crashes the process on a data file that is something else, or is cut off | `checkDataFile`, called here |
 * | crashes the process on a page of a tree that is damaged, or goes round in circles | `checkTrees`, called here for journals |
 * | rejects a second promise when a commit fails | `commit` |
 * | may crash the process when a page cannot be written | `Reserve`: no commit has to make the file longer |
 * | crashes the process on a write to an environment that is closed; a read throws later, in a timer | callers ask, after each wait, whether it was closed |
 * | goes on in a file that was moved or deleted | `Reserve.displacement`, asked before anything is acknowledged |
 * | keeps the file as long as it ever was | nothing; freed pages are used again |
 * | destroys the locks of an environment that one process closes while another opens it | `inTurn`, around each opening and closing where several processes may |
 * | lets two processes write, without its lock file even unseen | `lockJournal`, where only one may |
 */
export interface EnvironmentOptions
  extends Pick<RootDatabaseOptions, 'maxDbs' | 'readOnly' | 'encoding' | 'keyEncoding'> {
  /** Holds `data.mdb` and `lock.mdb`. Must be there. */
  readonly dir: string;
  /** The trees are small, and nobody writes while they are opened: they are checked as a whole. */
  readonly hasSmallTrees?: boolean;
}

/** The data file of an environment. */
export function dataFileOf(dir: string): string {
  return join(dir, 'data.mdb');
}

/** Throws DataFileError when the folder's data file is none of lmdb's, or is cut off; else what lmdb throws. */
export function openEnvironment<V = unknown, K extends EnvironmentKey = EnvironmentKey>(
  options: EnvironmentOptions,
): RootDatabase<V, K> {
  const { dir, hasSmallTrees, ...others } = options;
  const file = dataFileOf(dir);
  checkDataFile(file);
  if (hasSmallTrees && existsSync(file)) checkTrees(file);
  return open<V, K>({
    path: dir,
    ...others,
    noSubdir: false,
    overlappingSync: false,
    eventTurnBatching: false,
  });
}

type EnvironmentKey = string | number | Uint8Array | (string | number)[];
