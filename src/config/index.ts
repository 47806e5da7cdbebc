/**
 * Configuration: one schema (`config/schema.ts`) holds type, limits, default and description of every key; the
 * file, the environment, the error messages and the README's table all follow from it.
 */

export { type ChangedKey, differenceOf, newContents } from './difference.js';
export type { ConfigKey } from './keys.js';
export { configTable, describeConfig } from './keys.js';
export { type LoadedConfig, type LoadOptions, loadConfig } from './load.js';
export { type ParseOptions, parseConfig } from './parse.js';
export type { Config, ConfigInput } from './schema.js';
export { maskSecrets } from './secrets.js';
