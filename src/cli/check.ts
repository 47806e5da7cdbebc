import type { Command } from 'commander';
import { maskSecrets } from '../config/index.js';
import type { Address } from '../model/status.js';
import { importPackages } from '../observe/telemetry/packages.js';
import { openStore } from '../store/open.js';
import { storeWayWarning } from '../store/store-tls.js';
import { askReload } from './reload.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import { addressOption } from './target.js';
import type { Terminal } from './terminal.js';

interface CheckOptions extends CommonOptions {
  readonly store?: boolean;
  readonly diff?: boolean;
  readonly admin?: Address;
}

/** `lars-reporter check`: the effective configuration as JSON on stdout, verdicts on stderr. */
export function checkCommand(terminal: Terminal): Command {
  return commandWith(
    'Validates the configuration and prints the effective one, secrets masked.',
    'lars-reporter check --store --config /etc/lars-reporter/config.json',
  )
    .option('--store', 'also connect to the store and check its table')
    .option('--diff', 'also ask the running reporter what a reload would change, and how')
    .option('--admin <host:port>', 'with --diff: ask the reporter there', addressOption)
    .action((options: CheckOptions) => check(options, terminal));
}

async function check(options: CheckOptions, terminal: Terminal): Promise<void> {
  const { config, file } = loadSettingsWithWarnings(options, terminal);
  terminal.print(JSON.stringify(maskSecrets(config), null, 2));
  terminal.note(file ? `configuration ${file} is fine` : 'configuration is fine (no file: defaults)');
  if (config.telemetry.otlpUrl !== undefined) await importPackages();
  const warning = storeWayWarning(config.store.url, config.store.tls);
  if (warning !== undefined) terminal.note(`warning: ${warning}`);
  if (options.diff) await showDifference(options, terminal);
  if (!options.store) return;
  const store = openStore(config.store.url, config.store);
  try {
    await store.check();
    terminal.note(`${store.description}: the table is fine`);
  } finally {
    await store.close();
  }
}

/** How the running reporter, which reads its own file, would come to what has changed. */
async function showDifference(options: CheckOptions, terminal: Terminal): Promise<void> {
  const { outcome, changes = [], error } = await askReload('GET', options, terminal);
  if (outcome === undefined) throw new Error(error);
  for (const { key, how } of changes) terminal.note(`${key} has changed: ${HOW[how] ?? how}`);
  terminal.note(`reload: ${error ?? WILL_BE[outcome] ?? outcome}`);
}

const HOW: Readonly<Record<string, string>> = {
  'in-place': 'in place',
  'hand-over': 'by a hand-over to a new process',
  restart: 'by a restart only',
};

const WILL_BE: Readonly<Record<string, string>> = {
  unchanged: 'nothing would change',
  'in-place': 'everything would change in place',
  'hand-over': 'a new process would take over, with every connection',
};
