import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { JournalReader } from '../../journal/contract.js';
import { readJournal } from '../../journal/open.js';
import { integerOption, MAX_INT32, MIN_INT32 } from '../numbers.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { type Terminal, UsageError } from '../terminal.js';
import { type ExportOptions, exportJournal } from './export.js';
import { inspectJournal } from './inspect.js';
import { verifyJournal } from './verify.js';

interface DirOptions extends CommonOptions {
  readonly dir?: string;
}

interface JsonOptions extends DirOptions {
  readonly json?: boolean;
}

/** `lars-reporter journal`: reads the journal of a stopped reporter; changes nothing. */
export function journalCommand(terminal: Terminal): Command {
  return commandWith(
    'Reads the journal of a stopped reporter. Changes nothing. Rejects a journal that is in use.',
    'lars-reporter journal inspect --config /etc/lars-reporter/config.json',
  )
    .addCommand(
      journalTool(
        'inspect',
        'what the journal holds, by partition',
        'Prints what a journal holds: format, layout, and of each partition snapshot, records and pending rows.',
        'lars-reporter journal inspect --dir ./data/journal',
      )
        .option('--json', 'print JSON')
        .action((_: unknown, command: Command) => {
          const options = command.optsWithGlobals<JsonOptions>();
          return withJournal(options, terminal, (reader) =>
            inspectJournal(reader, terminal, options.json ?? false),
          );
        }),
    )
    .addCommand(
      journalTool(
        'verify',
        'read everything, and list what is damaged and where',
        'Reads everything, checks checksums and order, and replays it. Exit code 1 when something is wrong.',
        'lars-reporter journal verify --dir ./data/journal',
      )
        .option('--json', 'print JSON')
        .action((_: unknown, command: Command) => {
          const options = command.optsWithGlobals<JsonOptions>();
          return withJournal(options, terminal, (reader) =>
            verifyJournal(reader, terminal, options.json ?? false),
          );
        }),
    )
    .addCommand(exportCommand(terminal));
}

function exportCommand(terminal: Terminal): Command {
  return journalTool(
    'export',
    'pending rows, dead letters or quarantine as JSON lines or CSV',
    'Writes the pending rows to stdout, or the dead letters, or the records in quarantine.',
    'lars-reporter journal export --format csv --modid 1 > pending.csv',
  )
    .addOption(new Option('--format <format>', 'how to write').choices(['jsonl', 'csv']).default('jsonl'))
    .addOption(
      new Option('--dead-letters', 'rows the store rejected, instead of pending rows').conflicts(
        'quarantine',
      ),
    )
    .addOption(
      new Option('--quarantine', 'records in quarantine, instead of pending rows').conflicts([
        'modid',
        'cmdid',
      ]),
    )
    .option('--modid <n>', 'only this service, first half', integerOption(MIN_INT32, MAX_INT32))
    .option('--cmdid <n>', 'only this service, second half', integerOption(MIN_INT32, MAX_INT32))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions & DirOptions>();
      return withJournal(options, terminal, (reader) => exportJournal(reader, terminal, options));
    });
}

function journalTool(name: string, summary: string, description: string, example: string): Command {
  return commandWith(description, example)
    .name(name)
    .summary(summary)
    .option('--dir <folder>', 'journal folder (default: journal.dir of the configuration)');
}

async function withJournal(
  options: DirOptions,
  terminal: Terminal,
  use: (reader: JournalReader) => void | Promise<void>,
): Promise<void> {
  if (options.dir !== undefined && options.config !== undefined)
    throw new UsageError('--dir and --config both name the journal: give one of them');
  const dir =
    options.dir === undefined
      ? loadSettingsWithWarnings(options, terminal).config.journal.dir
      : resolve(options.dir);
  const reader = await readJournal(dir);
  try {
    await use(reader);
  } finally {
    await reader.close();
  }
}
