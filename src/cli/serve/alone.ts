import { type AgentPorts, OwnTransport, type Transport } from '../../intake/transport.js';
import { inheritedSockets } from '../../keeper/inherited.js';
import { messageOf } from '../../model/errors.js';
import { JOURNAL_WAIT_MS } from '../../node/kept-ways.js';
import { OWN_WAYS } from '../../node/ways.js';
import { type HeldReporter, startWithWays } from '../../reporter.js';
import type { CommonOptions } from '../common.js';
import { loadSettings } from '../settings.js';
import { EXIT_DONE, exitCodeOf, type Terminal } from '../terminal.js';
import { isOnTerminal, printReady, StopSignal, stop } from './ending.js';
import { Reload } from './reload.js';
import { openServeLog } from './serve-log.js';

/** `serve` without a keeper: this process accepts, reads, and takes its connections along when it ends. */
export async function serveAlone(options: CommonOptions, terminal: Terminal): Promise<void> {
  const loaded = loadSettings(options, terminal);
  const { config, warnings } = loaded;
  const log = await openServeLog(config.log.level, terminal);
  const { logger } = log;
  const stopSignal = new StopSignal(log);
  let reporter: HeldReporter | undefined;
  const reload = new Reload({ options, terminal, log, loaded, reporter: () => reporter });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stopSignal.hear);
  process.on('SIGHUP', (signal) => {
    if (isOnTerminal()) stopSignal.hear(signal);
    else void reload.reload();
  });
  process.on('SIGUSR2', () => logger.warn({}, 'no hand-over: this process has no keeper (keeper.enabled)'));
  for (const warning of warnings) logger.warn({}, warning);
  try {
    const ways = { ...OWN_WAYS, journalWaitMs: JOURNAL_WAIT_MS, reload, transport: inheritedTransport };
    reporter = await startWithWays(config, { logger }, ways);
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

/** On sockets that were bound for this process, where there are any. */
function inheritedTransport(ports: AgentPorts): Transport {
  const sockets = inheritedSockets(process.env, process.pid);
  return new OwnTransport(ports, { plain: sockets.get('agents'), secure: sockets.get('agents-tls') });
}
