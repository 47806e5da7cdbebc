import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The part of AVA's `t` that is needed here. */
export interface Teardown {
  teardown(end: () => void | Promise<void>): void;
}

/** A fresh empty folder, removed with all that is in it at the end of the test. */
export function tempDir(t: Teardown): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lars-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}
