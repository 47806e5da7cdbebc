import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../../config/index.js';
import { readJournal } from '../../journal/open.js';
import { ReporterError } from '../../model/errors.js';
import type { Address } from '../../model/status.js';
import { readStoreAddress } from '../../store/address.js';
import type { Forgotten, Store } from '../../store/contract.js';
import { openStore } from '../../store/open.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from '../settings.js';
import { addressOption } from '../target.js';
import { type Terminal, UsageError } from '../terminal.js';
import { type SlowClocks, slowClocks } from './slow-clocks.js';

interface ForgetOptions extends CommonOptions {
  /** Age, seconds. */
  readonly before: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly admin?: Address;
}

const DAY_S = 86_400;
const UNITS: Readonly<Record<string, number>> = { d: DAY_S, h: 3600 };
/** Callers that are silent for a night are no corpses. */
const LEAST_S = DAY_S;
const PROGRESS_MS = 2000;

/** `lars-reporter forget`: removes rows that were not heard for long. */
export function forgetCommand(terminal: Terminal): Command {
  return commandWith(
    'Removes rows that no agent has reported for long: the table only grows, and hosts and callers that are gone stay in\n' +
      'it. Small batches by primary key, beside running reporters; a row that is reported meanwhile stays. Rows of callers\n' +
      'whose clocks are behind are kept, as the running reporter knows them. Safe to repeat. An embedded store: with its\n' +
      'reporter stopped. The user of the database needs DELETE on the table.',
    'lars-reporter forget --before 30d --dry-run',
  )
    .requiredOption(
      '--before <age>',
      'remove rows not reported for so long: 30d, or 36h; at least 1d',
      ageOption,
    )
    .option('--dry-run', 'only count them')
    .option('--json', 'print what was done as JSON')
    .option(
      '--admin <host:port>',
      'ask the reporter there about clocks (default: admin of the configuration)',
      addressOption,
    )
    .action((options: ForgetOptions) => forget(options, terminal));
}

function ageOption(text: string): number {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,4})([dh])$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (!(seconds >= LEAST_S))
    throw new InvalidArgumentError('Expected an age of a day or more, such as 30d or 36h.');
  return seconds;
}

async function forget(options: ForgetOptions, terminal: Terminal): Promise<void> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const beforeS = Math.floor(Date.now() / 1000) - options.before;
  const release = await keepReporterOut(config);
  const store = openStore(config.store.url, config.store);
  try {
    const clocks = await slowClocks(config, options.admin);
    for (const note of clocks.notes) terminal.note(note);
    const isOld = (row: { readonly caller: number; readonly ts: number }) =>
      row.ts < beforeS && !clocks.callers.has(row.caller);
    const order = { isOld, beforeS, dryRun: options.dryRun ?? false };
    const done = await follow(store, order, terminal);
    terminal.print(
      options.json ? documentOf(done, clocks, beforeS, order.dryRun) : lineOf(done, beforeS, order.dryRun),
    );
  } finally {
    await store.close();
    await release();
  }
}

/** Of an embedded store one process writes: that which has the journal. Databases take several. */
async function keepReporterOut({ store, journal }: Config): Promise<() => Promise<void>> {
  if (readStoreAddress(store.url).kind !== 'embedded') return async () => {};
  try {
    const reader = await readJournal(journal.dir);
    return () => reader.close();
  } catch (error) {
    if (!(error instanceof ReporterError)) throw error;
    if (error.code === 'JOURNAL_IN_USE')
      throw new UsageError(
        `an embedded store has one writer, and its reporter runs: stop it first (${error.message})`,
      );
    // Without a journal there is no reporter.
    return async () => {};
  }
}

async function follow(
  store: Store,
  order: Parameters<NonNullable<Store['forget']>>[0],
  terminal: Terminal,
): Promise<Forgotten> {
  if (!store.forget) throw new UsageError(`${store.description} cannot forget rows`);
  let done: Forgotten = { looked: 0, old: 0, removed: 0 };
  let toldMs = performance.now();
  for await (done of store.forget(order)) {
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    terminal.note(
      `${done.looked} rows looked at, ${order.dryRun ? `${done.old} old` : `${done.removed} removed`}`,
    );
  }
  return done;
}

function lineOf({ looked, old, removed }: Forgotten, beforeS: number, isDryRun: boolean): string {
  const since = `${new Date(beforeS * 1000).toISOString().slice(0, 19)}Z`;
  if (isDryRun)
    return `${old} of ${looked} rows were last reported before ${since}; nothing was removed (--dry-run)`;
  const stayed = old - removed;
  const others = stayed > 0 ? `; ${stayed} were reported, removed or locked meanwhile` : '';
  return `${removed} of ${looked} rows removed that were last reported before ${since}${others}`;
}

function documentOf(done: Forgotten, clocks: SlowClocks, beforeS: number, dryRun: boolean): string {
  const before = `${new Date(beforeS * 1000).toISOString().slice(0, 19)}Z`;
  return JSON.stringify({ before, dryRun, ...done, keptCallers: clocks.callers.size, notes: clocks.notes });
}
