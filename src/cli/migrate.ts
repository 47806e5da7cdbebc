import type { Command } from 'commander';
import { describeStoreUrl } from '../store/address.js';
import { migrate } from '../store/migration.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import type { Terminal } from './terminal.js';

/** `lars-reporter migrate`: brings the store's table to what this version needs. */
export function migrateCommand(terminal: Terminal): Command {
  return commandWith(
    'Creates or upgrades the table ServerCallStatus in the configured store. Safe to repeat.',
    'LARS_STORE_URL=mysql://lars:secret@127.0.0.1/lars lars-reporter migrate',
  ).action(async (options: CommonOptions) => {
    const { url, tls } = loadSettingsWithWarnings(options, terminal).config.store;
    const outcome = await migrate(url, { tls });
    terminal.print(
      outcome === 'created'
        ? `created the table in ${describeStoreUrl(url)}`
        : `nothing to do: the table in ${describeStoreUrl(url)} is as it should be`,
    );
  });
}
