import type { Config } from '../../config/index.js';
import { messageOf } from '../../model/errors.js';
import { createLog, type Log } from '../log.js';
import { EXIT_FAILED, type Terminal } from '../terminal.js';
import { exitWith } from './ending.js';

/** The log of a process that serves. */
export async function openServeLog(level: Config['log']['level'], terminal: Terminal): Promise<Log> {
  const log = await createLog(level);
  // The state of the process is unknown then. The next process recovers from the journal.
  terminal.onBug = (error) => {
    log.failure('fatal', { error }, `a bug ends the process: ${messageOf(error)}`);
    void exitWith(EXIT_FAILED, log);
  };
  // The service is worth more than the reader of its ready line.
  terminal.onOutputGone = (error) => log.logger.warn({ error }, 'stdout cannot be written');
  return log;
}
