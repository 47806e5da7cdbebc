import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Lets `open` read the lmdb environment in `dir` without a lock file there, which lmdb would make or write, and which
 * a read-only folder does not take. For environments that nobody writes meanwhile: the lock file that is used instead
 * lies elsewhere, and is gone when `open` has returned.
 */
export function openUnlocked<T>(dir: string, open: (path: string) => T): T {
  const view = mkdtempSync(join(tmpdir(), 'lars-journal-'));
  try {
    symlinkSync(resolve(dir, 'data.mdb'), join(view, 'data.mdb'));
    return open(view);
  } finally {
    // What is open stays so.
    rmSync(view, { recursive: true, force: true });
  }
}
