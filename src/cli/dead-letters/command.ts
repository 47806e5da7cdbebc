import type { Command } from 'commander';
import {
  type DeadLetterFilter,
  type DeadLetterOutcome,
  isRestricted,
  type LetterJson,
} from '../../model/dead-letter.js';
import type { Address } from '../../model/status.js';
import { integerOption, MAX_INT32, MIN_INT32 } from '../numbers.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { addressOption, ipOption } from '../target.js';
import { type Terminal, UsageError } from '../terminal.js';
import { alignedTable } from '../text-table.js';
import { openLetterReader, openLetterTool } from './open-tool.js';
import type { LetterTool } from './tool.js';

/** Most dead letters in one list: what the admin HTTP gives at a time. */
const MAX_LIMIT = 10_000;

interface FilterOptions extends CommonOptions, DeadLetterFilter {
  readonly admin?: Address;
  readonly json?: boolean;
}

interface ListOptions extends FilterOptions {
  readonly limit: number;
  readonly offset: number;
}

interface SettleOptions extends FilterOptions {
  readonly all?: boolean;
}

/** `lars-reporter dead-letters`: rows that the store rejected. */
export function deadLettersCommand(terminal: Terminal): Command {
  return commandWith(
    'Lists, replays or drops rows that the store rejected because of their content. Uses the admin HTTP of a ' +
      'running reporter, or the journal of a stopped one.',
    'lars-reporter dead-letters list --config /etc/lars-reporter/config.json',
  )
    .addCommand(
      filteredCommand(
        'list',
        'the newest rejected value of each key, and why',
        'Prints dead letters: the newest rejected value of each key, and the error of the store.',
        'lars-reporter dead-letters list --code ER_WARN_DATA_OUT_OF_RANGE',
      )
        .option('--limit <n>', 'most dead letters to print', integerOption(1, MAX_LIMIT), 100)
        .option('--offset <n>', 'dead letters to skip', integerOption(0, 1_000_000_000), 0)
        .action((_: unknown, command: Command) => list(command.optsWithGlobals<ListOptions>(), terminal)),
    )
    .addCommand(
      filteredCommand(
        'replay',
        'send them to the store again',
        'Sends dead letters to the store again, as if they were received now. If a newer value of the key is ' +
          'pending, the dead letter is removed instead: no row goes backwards.',
        'lars-reporter dead-letters replay --modid 1 --cmdid 2',
      )
        .option('--all', 'replay every dead letter')
        .action((_: unknown, command: Command) =>
          settle('replay', command.optsWithGlobals<SettleOptions>(), terminal),
        ),
    )
    .addCommand(
      filteredCommand(
        'drop',
        'remove them for good',
        'Removes dead letters for good.',
        'lars-reporter dead-letters drop --caller 10.0.0.9',
      )
        .option('--all', 'drop every dead letter')
        .action((_: unknown, command: Command) =>
          settle('drop', command.optsWithGlobals<SettleOptions>(), terminal),
        ),
    );
}

function filteredCommand(name: string, summary: string, description: string, example: string): Command {
  return commandWith(description, example)
    .name(name)
    .summary(summary)
    .option('--modid <n>', 'only this service, first half', integerOption(MIN_INT32, MAX_INT32))
    .option('--cmdid <n>', 'only this service, second half', integerOption(MIN_INT32, MAX_INT32))
    .option('--caller <ip>', 'only rows that this machine reported', ipOption)
    .option('--code <code>', 'only rows rejected with this code')
    .option(
      '--admin <host:port>',
      'ask the reporter there (default: admin of the configuration, when its journal is in use)',
      addressOption,
    )
    .option('--json', 'print JSON');
}

async function list(options: ListOptions, terminal: Terminal): Promise<void> {
  const { offset, limit } = options;
  const { config } = loadSettingsWithWarnings(options, terminal);
  const reader = await openLetterReader(config, options.admin);
  const { total, letters } = await reader
    .list(filterOf(options), offset, limit)
    .finally(() => reader.close());
  if (options.json) {
    terminal.print(JSON.stringify({ total, offset, limit, letters }, null, 2));
    return;
  }
  if (total === 0) terminal.note('there are no such dead letters');
  else terminal.print(tableOf(letters));
  if (letters.length < total)
    terminal.note(`${letters.length} of ${total} dead letters; --offset and --limit show others`);
}

async function settle(action: 'replay' | 'drop', options: SettleOptions, terminal: Terminal): Promise<void> {
  const filter = filterOf(options);
  if (isRestricted(filter) === (options.all ?? false)) {
    throw new UsageError(
      options.all
        ? '--all and a filter contradict each other: give one of them'
        : `this would ${action} every dead letter: name some with --modid, --cmdid, --caller or --code, or give --all`,
    );
  }
  await withTool(options, terminal, async (tool) => {
    const outcome = await tool.settle(action, filter);
    terminal.print(options.json ? JSON.stringify(outcome, null, 2) : saidOf(action, outcome, tool.isRunning));
  });
}

function saidOf(action: 'replay' | 'drop', outcome: DeadLetterOutcome, isRunning: boolean): string {
  const { replayed, superseded, dropped, kept } = outcome;
  if (action === 'drop') return `dropped ${letters(dropped)}`;
  const lines = [
    `replayed ${letters(replayed)}${replayed > 0 && !isRunning ? '; the next start stores what they hold' : ''}`,
  ];
  if (superseded > 0) lines.push(`removed ${letters(superseded)}: newer values of their keys are pending`);
  if (kept > 0) {
    lines.push(
      `left ${letters(kept)}: records that may hold newer values went into quarantine since; drop them, or wait for new reports`,
    );
  }
  return lines.join('\n');
}

function letters(count: number): string {
  return `${count} dead ${count === 1 ? 'letter' : 'letters'}`;
}

async function withTool<T>(
  options: FilterOptions,
  terminal: Terminal,
  use: (tool: LetterTool) => Promise<T>,
): Promise<T> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const tool = await openLetterTool(config, options.admin, (text) => terminal.note(text));
  try {
    return await use(tool);
  } finally {
    await tool.close();
  }
}

function filterOf({ modid, cmdid, caller, code }: FilterOptions): DeadLetterFilter {
  return {
    ...(modid === undefined ? {} : { modid }),
    ...(cmdid === undefined ? {} : { cmdid }),
    ...(caller === undefined ? {} : { caller }),
    ...(code === undefined ? {} : { code }),
  };
}

function tableOf(all: readonly LetterJson[]): string {
  const header = [
    'modid',
    'cmdid',
    'ip',
    'port',
    'caller',
    'succ',
    'err',
    'overload',
    'count',
    'last',
    'code',
    'message',
  ];
  const rows = all.map((letter) => [
    ...[letter.modid, letter.cmdid, letter.ip, letter.port, letter.caller, letter.succ, letter.err],
    letter.overload ? 'yes' : 'no',
    ...[letter.count, letter.lastAt, oneLine(letter.code), oneLine(letter.message)],
  ]);
  return alignedTable(header, rows);
}

/** The error of a store, without control characters for the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
