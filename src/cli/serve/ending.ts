import { isatty } from 'node:tty';
import type { Reporter } from '../../reporter.js';
import type { Log, ProcessLogger } from '../log.js';
import { openOutlet } from '../outlet.js';
import { EXIT_FAILED, type Terminal } from '../terminal.js';

/** What both forms of `serve` say and do at their beginning and at their end. */

/** Whether people have started it, and see it: SIGHUP says then that they have left. */
export function isOnTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd));
}

/** Prints the ready line; a terminal that stands still is not waited for. */
export function printReady({ address, secureAddress, admin }: Reporter, terminal: Terminal): void {
  const tls = secureAddress ? { tls: secureAddress } : {};
  const line = JSON.stringify({ ready: true, listen: address, ...tls, admin });
  if (isatty(1)) openOutlet(1).write(`${line}\n`);
  else terminal.print(line);
}

/** Drains and stops. */
export async function stop(reporter: Reporter, logger: ProcessLogger): Promise<void> {
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
 * The first signal to stop. A second one ends the process at once, but for SIGHUP: when a terminal is closed, the
 * system and the shell both send it.
 */
export class StopSignal {
  readonly asked: Promise<NodeJS.Signals>;
  readonly #log: Log;
  #resolve: (signal: NodeJS.Signals) => void = () => {};
  #isAsked = false;

  constructor(log: Log) {
    this.#log = log;
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  readonly hear = (signal: NodeJS.Signals): void => {
    if (this.#isAsked && signal !== 'SIGHUP') {
      const message = 'stopped at once by a second signal; pending rows stay in the journal';
      this.#log.logger.warn({ signal }, message);
      void exitWith(EXIT_FAILED, this.#log);
    }
    this.#isAsked ||= signal !== 'SIGHUP';
    this.#resolve(signal);
  };
}

export async function exitWith(code: number, log: Log): Promise<void> {
  await log.close();
  process.exit(code);
}
