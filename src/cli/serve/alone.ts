import { messageOf } from '../../model/errors.js';
import { JOURNAL_WAIT_MS } from '../../node/kept-ways.js';
import { OWN_WAYS } from '../../node/ways.js';
import { startWithWays } from '../../reporter.js';
import { loadSettings } from '../settings.js';
import { EXIT_DONE, exitCodeOf, type Terminal } from '../terminal.js';
import type { ServeOptions } from './command.js';
import { printReady, StopSignal, stop } from './ending.js';
import { openServeLog } from './serve-log.js';

/** `serve` without a keeper: this process accepts, reads, and takes its connections along when it ends. */
export async function serveAlone(options: ServeOptions, terminal: Terminal): Promise<void> {
  const { config, warnings } = loadSettings(options, terminal);
  const log = await openServeLog(config.log.level, terminal);
  const { logger } = log;
  const stopSignal = new StopSignal(log);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stopSignal.hear);
  for (const warning of warnings) logger.warn({}, warning);
  try {
    const reporter = await startWithWays(config, { logger }, { ...OWN_WAYS, journalWaitMs: JOURNAL_WAIT_MS });
    printReady(reporter, terminal);
    logger.info({ signal: await stopSignal.asked, drainMs: config.shutdown.drainMs }, 'stopping');
    await stop(reporter, logger);
    terminal.exitCode = EXIT_DONE;
  } catch (error) {
    // Whoever starts it must see why it does not run, however little is logged.
    log.failure('error', terminal.debug ? { error } : {}, messageOf(error));
    terminal.exitCode = exitCodeOf(error);
  }
  await log.close();
}
