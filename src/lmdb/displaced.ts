import { type BigIntStats, fstatSync, statSync } from 'node:fs';

const MISSING = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Why `file` does not lead to the open file `fd` any more; undefined when it does. A file that was moved or deleted
 * works on for who has it open, and lmdb never notices: what is committed then is gone with the process.
 *
 * Only what is certain counts: a path that may not be looked at, or a disk that fails, says nothing.
 */
export function displacementOf(file: string, fd: number): Error | undefined {
  const there = statOf(file);
  if (there === 'unknown') return undefined;
  const open = fstatSync(fd, { bigint: true });
  if (there !== 'missing' && there.ino === open.ino && there.dev === open.dev) return undefined;
  const copy = `/proc/${process.pid}/fd/${fd}`;
  return new Error(
    `${file} was ${there === 'missing' ? 'moved or deleted' : 'replaced'} under this process: move it back; ` +
      `if it is deleted, copy ${copy} (Linux) to its place before this process ends, and restart`,
  );
}

function statOf(file: string): BigIntStats | 'missing' | 'unknown' {
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    return MISSING.has((error as NodeJS.ErrnoException).code ?? '') ? 'missing' : 'unknown';
  }
}
