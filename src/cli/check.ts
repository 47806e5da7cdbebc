import type { Command } from 'commander';
import { maskSecrets } from '../config/index.js';
import { openStore } from '../store/open.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import type { Terminal } from './terminal.js';

interface CheckOptions extends CommonOptions {
  readonly store?: boolean;
}

/** `lars-reporter check`: the effective configuration as JSON on stdout, verdicts on stderr. */
export function checkCommand(terminal: Terminal): Command {
  return commandWith(
    'Validates the configuration and prints the effective one, secrets masked.',
    'lars-reporter check --store --config /etc/lars/config.json',
  )
    .option('--store', 'also connect to the store and check its table')
    .action((options: CheckOptions) => check(options, terminal));
}

async function check(options: CheckOptions, terminal: Terminal): Promise<void> {
  const { config, file } = loadSettingsWithWarnings(options, terminal);
  terminal.print(JSON.stringify(maskSecrets(config), null, 2));
  terminal.note(file ? `configuration ${file} is fine` : 'configuration is fine (no file: defaults)');
  if (!options.store) return;
  const store = openStore(config.store.url, config.store);
  try {
    await store.check();
    terminal.note(`${store.description}: the table is fine`);
  } finally {
    await store.close();
  }
}
