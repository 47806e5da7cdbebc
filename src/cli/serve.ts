import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { messageOf } from '../model/errors.js';
import { type Reporter, startReporter } from '../reporter.js';
import { createLog, type Log, type ProcessLogger } from './log.js';
import { openOutlet } from './outlet.js';
import { type CommonOptions, commandWith, loadSettings } from './settings.js';
import { EXIT_DONE, EXIT_FAILED, exitCodeOf, type Terminal } from './terminal.js';

/** `lars-reporter serve`: runs the reporter until a signal stops it. */
export function serveCommand(terminal: Terminal): Command {
  return commandWith(
    'Takes reports from agents and stores the newest of each key, until SIGTERM, SIGINT or SIGHUP.\n' +
      'Prints one line of JSON on stdout when it can take reports; logs on stderr.',
    'LARS_LISTEN_PORT=7779 lars-reporter serve --config /etc/lars/config.json',
  ).action((options: CommonOptions) => serve(options, terminal));
}

async function serve(options: CommonOptions, terminal: Terminal): Promise<void> {
  const { config, warnings } = loadSettings(options, terminal);
  const log = await createLog(config.log.level);
  const { logger } = log;
  // The state of the process is unknown then. The next process recovers from the journal.
  terminal.onBug = (error) => {
    log.failure('fatal', { error }, `a bug ends the process: ${messageOf(error)}`);
    void exitWith(EXIT_FAILED, log);
  };
  // The service is worth more than the reader of its ready line.
  terminal.onOutputGone = (error) => logger.warn({ error }, 'stdout cannot be written');
  const stopAsked = stopSignal(log);
  for (const warning of warnings) logger.warn({}, warning);
  try {
    const reporter = await startReporter(config, { logger });
    const { address, admin } = reporter;
    printReady(JSON.stringify({ ready: true, listen: address, admin }), terminal);
    logger.info({ signal: await stopAsked, drainMs: config.shutdown.drainMs }, 'stopping');
    await stop(reporter, logger);
    terminal.exitCode = EXIT_DONE;
  } catch (error) {
    // Whoever starts it must see why it does not run, however little is logged.
    log.failure('error', terminal.debug ? { error } : {}, messageOf(error));
    terminal.exitCode = exitCodeOf(error);
  }
  await log.close();
}

/** Prints the ready line; a terminal that stands still is not waited for. */
function printReady(line: string, terminal: Terminal): void {
  if (isatty(1)) openOutlet(1).write(`${line}\n`);
  else terminal.print(line);
}

async function stop(reporter: Reporter, logger: ProcessLogger): Promise<void> {
  const { drained, unjournaled } = await reporter.drain();
  const { received } = reporter.ledger();
  await reporter.stop();
  const { pending, received: receivedInAll } = reporter.ledger();
  if (drained) {
    logger.info({ pending }, 'stopped; every row is stored');
  } else {
    // The journal may have taken some of them meanwhile.
    const lost = Math.max(0, unjournaled - (receivedInAll - received));
    const more = lost > 0 ? `; ${lost} more rows could not be journaled and are lost` : '';
    logger.warn({ pending, lost }, `stopped; ${pending} rows are not stored and stay in the journal${more}`);
  }
}

/**
 * Resolves with the first signal to stop. A second one ends the process at once, but for SIGHUP: when a terminal is
 * closed, the system and the shell both send it.
 */
function stopSignal(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (asked && signal !== 'SIGHUP') {
        log.logger.warn({ signal }, 'stopped at once by a second signal; pending rows stay in the journal');
        void exitWith(EXIT_FAILED, log);
      }
      asked ||= signal !== 'SIGHUP';
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('SIGHUP', onSignal);
  });
}

async function exitWith(code: number, log: Log): Promise<void> {
  await log.close();
  process.exit(code);
}
