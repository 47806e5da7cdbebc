import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import fsExtensions from 'fs-native-extensions';
import { ReporterError } from '../model/errors.js';

/**
 * Takes the journal directory for this process: an advisory lock of the operating system on `file`, which goes
 * when the process goes, however it ends. Returns the release. Throws ReporterError JOURNAL_IN_USE when another
 * process, or another reporter of this one, holds it; `advice` says what to do then.
 */
export function lockJournal(
  file: string,
  dir: string,
  advice = 'stop that reporter, or give this one a journal.dir of its own',
): () => void {
  const fd = openSync(file, 'a+');
  let locked = false;
  try {
    locked = fsExtensions.tryLock(fd);
    if (!locked) {
      const holder = readFileSync(file, 'utf8').trim() || 'unknown';
      throw new ReporterError(
        'JOURNAL_IN_USE',
        `the journal ${dir} is in use by process ${holder}: ${advice}`,
      );
    }
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } finally {
    if (!locked) closeSync(fd);
  }
  return () => closeSync(fd);
}
