import { ReporterError } from '../../model/errors.js';
import { JOURNAL_FORMAT } from '../record.js';

/** JOURNAL_VERSION: the journal is of a format that this version does not read. */
export function otherFormat(dir: string, format: unknown): ReporterError {
  return new ReporterError(
    'JOURNAL_VERSION',
    `the journal ${dir} has format ${String(format)}, this version reads format ${JOURNAL_FORMAT}: ` +
      'drain it with the version that wrote it, or give this one another journal.dir',
  );
}
