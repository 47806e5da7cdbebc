import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from './lock.js';
import { dataFileOf } from './open-environment.js';

/** Others open or close within milliseconds; one that stands still for so long is not waited for. */
const PATIENCE_MS = 10_000;
const EVERY_MS = 2;

/**
 * Runs `openOrClose` while no other process, and nobody else in this one, opens or closes the environment in `dir`,
 * which must be there.
 *
 * The last process that closes an environment destroys the mutexes in its lock file. One that opens it at the same
 * moment waits for that, takes them for sound, and each of its writes fails from then on, and those of all who come
 * while it is open.
 */
export async function inTurn<T>(dir: string, openOrClose: () => Promise<T> | T): Promise<T> {
  const release = await enter(dataFileOf(dir));
  try {
    return await openOrClose();
  } finally {
    release();
  }
}

async function enter(dataFile: string): Promise<() => void> {
  let fd: number;
  try {
    // An empty one is a new one, for lmdb, too.
    fd = openSync(dataFile, 'a+', 0o664);
  } catch {
    // lmdb cannot write it either, and says so in its own words.
    return () => {};
  }
  const deadline = performance.now() + PATIENCE_MS;
  try {
    while (!tryLock(fd, { shared: false }) && performance.now() < deadline) await sleep(EVERY_MS);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => closeSync(fd);
}
