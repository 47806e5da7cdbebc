import type { Command } from 'commander';
import { KeeperLink } from '../../keeper/link.js';
import { type CommonOptions, commandWith } from '../common.js';
import type { Terminal } from '../terminal.js';
import { isKeeperWanted } from './wanted.js';

/** `lars-reporter serve`: runs the reporter until a signal stops it. */
export function serveCommand(terminal: Terminal): Command {
  return commandWith(
    'Takes reports from agents and stores the newest of each key, until SIGTERM or SIGINT.\n' +
      'SIGHUP reads the configuration again (on a terminal: stops), SIGUSR2 hands over to a new process.\n' +
      'Prints one line of JSON on stdout when it can take reports; logs on stderr.',
    'LARS_LISTEN_PORT=7779 lars-reporter serve --config /etc/lars-reporter/config.json',
  ).action((options: CommonOptions) => serve(options, terminal));
}

/** Loads what it needs and no more: a keeper is to stay small. */
async function serve(options: CommonOptions, terminal: Terminal): Promise<void> {
  const link = KeeperLink.open();
  if (link) {
    const { serveKept } = await import('./kept.js');
    await serveKept(options, terminal, link);
  } else if (isKeeperWanted(options, process.env, process.cwd())) {
    const { keep } = await import('./keep.js');
    terminal.exitCode = await keep();
  } else {
    const { serveAlone } = await import('./alone.js');
    await serveAlone(options, terminal);
  }
}
