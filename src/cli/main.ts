#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../model/version.js';
import { EXIT_DONE, EXIT_USAGE, Terminal } from './terminal.js';

interface CommandEntry {
  readonly summary: string;
  /** Loads the command's file: only the command that runs, or whose help is asked for, is loaded. */
  readonly load: () => Promise<(terminal: Terminal) => Command>;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    summary: 'take reports from agents until told to stop',
    load: async () => (await import('./serve/command.js')).serveCommand,
  },
  reload: {
    summary: 'have a running reporter read its configuration again',
    load: async () => (await import('./reload.js')).reloadCommand,
  },
  check: {
    summary: 'validate the configuration and, with --store, the table',
    load: async () => (await import('./check.js')).checkCommand,
  },
  status: {
    summary: 'which services are in trouble, since when, and who says so',
    load: async () => (await import('./status/command.js')).statusCommand,
  },
  incidents: {
    summary: 'incidents as they begin and end, a line each',
    load: async () => (await import('./incidents/command.js')).incidentsCommand,
  },
  migrate: {
    summary: 'create or upgrade the table; safe to repeat',
    load: async () => (await import('./migrate.js')).migrateCommand,
  },
  send: {
    summary: 'send one report, built from flags, or frames from a file',
    load: async () => (await import('./send.js')).sendCommand,
  },
  simulate: {
    summary: 'behave like many real agents, and verify the table',
    load: async () => (await import('./simulate/command.js')).simulateCommand,
  },
  journal: {
    summary: "inspect, verify or export a stopped reporter's journal",
    load: async () => (await import('./journal/command.js')).journalCommand,
  },
  doctor: {
    summary: 'look at everything support would ask for',
    load: async () => (await import('./doctor/command.js')).doctorCommand,
  },
  forget: {
    summary: 'remove rows that were not reported for long',
    load: async () => (await import('./forget/command.js')).forgetCommand,
  },
  'dead-letters': {
    summary: 'list, replay or drop rows that the store rejected',
    load: async () => (await import('./dead-letters/command.js')).deadLettersCommand,
  },
};

async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command('lars-reporter')
    .description('Takes status reports from Lars agents over TCP and keeps the newest of each key in MySQL.')
    .usage('COMMAND [options]')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help; after a command, the help of that command')
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .exitOverride();
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (argv.includes(name)) {
      const command = (await load())(terminal);
      program.addCommand(command.name(name).summary(summary));
      for (const each of [command, ...command.commands])
        each.copyInheritedSettings(program).helpOption('--help', 'print this help');
    } else {
      program.command(name).description(summary);
    }
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return terminal.fail(error);
    // Commander has printed what is wrong, and exits 1 for it.
    return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
  }
}

/** Commander's message with its hint, which it puts on a line of its own; the message of a bad value already names what to write. */
function oneLine(text: string): string {
  const line = text.trimEnd().replaceAll('\n', ' ');
  return line.includes(' is invalid. ') ? `${line}\n` : `${line}; see --help\n`;
}

const terminal = new Terminal();
process.stdout.on('error', (error: NodeJS.ErrnoException) => terminal.onOutputGone(error));
// Nobody is left to be told.
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => terminal.onBug(error));
process.on('unhandledRejection', (error) => terminal.onBug(error));
const code = await main(process.argv.slice(2), terminal);
// What was printed must be out before the process ends.
process.stdout.write('', () => process.exit(terminal.finalCode(code)));
