import { type LoadedConfig, loadConfig } from '../config/index.js';
import type { CommonOptions } from './common.js';
import { isVerbose, type Terminal } from './terminal.js';

export { type CommonOptions, commandWith } from './common.js';

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
