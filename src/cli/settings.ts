import { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../config/index.js';
import { isVerbose, type Terminal } from './terminal.js';

/** What every command takes. */
export interface CommonOptions {
  readonly config?: string;
}

/** A command with `--config` and an example; main.ts gives it name, summary and `--help`. */
export function commandWith(description: string, example: string): Command {
  return new Command()
    .description(description)
    .option('--config <file>', 'configuration file (default: ./config.json, which may be missing)')
    .addHelpText('after', `\nExample:\n  $ ${example}`);
}

/** The effective configuration. Throws ReporterError `CONFIG_INVALID`. */
export function loadSettings(options: CommonOptions, terminal: Terminal): LoadedConfig {
  const loaded = loadConfig({ file: options.config, env: process.env, cwd: process.cwd() });
  terminal.debug = isVerbose(loaded.config.log.level);
  return loaded;
}

/** As `loadSettings`; prints its warnings on stderr. */
export function loadSettingsWithWarnings(options: CommonOptions, terminal: Terminal): LoadedConfig {
  const loaded = loadSettings(options, terminal);
  for (const warning of loaded.warnings) terminal.note(`warning: ${warning}`);
  return loaded;
}
