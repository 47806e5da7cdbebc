/**
 * Configuration: one schema (`config/schema.ts`) holds type, limits, default and description of every key; the
 * file, the environment, the error messages and the README's table all follow from it.
 */

export type { ConfigKey } from './config/keys.js';
export { configTable, describeConfig } from './config/keys.js';
export { type LoadedConfig, type LoadOptions, loadConfig } from './config/load.js';
export { type ParseOptions, parseConfig } from './config/parse.js';
export type { Config, ConfigInput } from './config/schema.js';
export { maskSecrets, maskStoreUrl } from './config/secrets.js';
