import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Waits for a write, or for several of one turn, to be on disk. Rejects with what the commit failed of (disk full
 * and I/O errors: EIO).
 *
 * lmdb rejects a second promise of its own when a commit fails, and an unhandled rejection ends a process: this is
 * the one place that takes it.
 */
export async function commit(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<unknown> };
    // It has been rejected by now, or never will be.
    const cause =
      commitError && (await Promise.race([commitError.catch((inner: unknown) => inner), nextTurn()]));
    throw cause instanceof Error ? cause : error;
  }
}
