import type { Command } from 'commander';
import { describeStoreUrl } from '../store/address.js';
import { migrate, migrateHistory } from '../store/migration.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import type { Terminal } from './terminal.js';

interface MigrateOptions extends CommonOptions {
  readonly history?: boolean;
}

/** `lars-reporter migrate`: brings the store's table to what this version needs. */
export function migrateCommand(terminal: Terminal): Command {
  return commandWith(
    'Creates or upgrades the table ServerCallStatus in the configured store. Safe to repeat.',
    'LARS_STORE_URL=mysql://lars:secret@127.0.0.1/lars lars-reporter migrate',
  )
    .option(
      '--history',
      'make the optional table ServerCallIncident, into which incidents are copied, and that one alone',
    )
    .action(async (options: MigrateOptions) => {
      const { url, tls } = loadSettingsWithWarnings(options, terminal).config.store;
      const outcome = await (options.history ? migrateHistory(url, { tls }) : migrate(url, { tls }));
      const table = options.history ? 'the table of incidents' : 'the table';
      terminal.print(
        outcome === 'created'
          ? `created ${table} in ${describeStoreUrl(url)}`
          : `nothing to do: ${table} in ${describeStoreUrl(url)} is as it should be`,
      );
    });
}
