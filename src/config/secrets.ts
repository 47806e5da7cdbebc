import type { z } from 'zod';
import { describeStoreUrl } from '../store/address.js';
import { type ConfigKey, keysOf } from './keys.js';
import { type Config, schema as ours } from './schema.js';
import { valueAt, withValue } from './tree.js';

/** What is shown of a secret. */
export const MASK = '***';

/** A copy of the configuration that may be printed: secrets, and the passwords of addresses, replaced by `***`. */
export function maskSecrets(config: Config): Config {
  return maskWith(ours, config);
}

/** As `maskSecrets`, for the configuration of another schema. */
export function maskWith<T>(schema: z.ZodType, config: T): T {
  let masked: unknown = config;
  for (const key of keysOf(schema)) {
    const value = valueAt(config, key.path);
    if (value === undefined) continue;
    if (key.secret) masked = withValue(masked, key.path, MASK);
    else if (key.place === 'store') masked = withValue(masked, key.path, describeStoreUrl(String(value)));
  }
  return masked as T;
}

/** A value of any type, as it may stand in an error message about `key`. */
export function printable(key: ConfigKey | undefined, value: unknown): string {
  // A whole section of the wrong type may hold anything, a password too.
  if (!key) return `(${kindOf(value)})`;
  // Where a file is asked for, people write the secret itself.
  if ((key.secret || key.holds !== undefined) && value !== undefined) return MASK;
  if (key.place !== 'store') return quoted(value);
  return typeof value === 'string' ? quoted(describeStoreUrl(value)) : `(${kindOf(value)})`;
}

/** `text`, `a list`, … for people. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

const LONGEST_QUOTE = 80;

function quoted(value: unknown): string {
  if (value === undefined) return '(not set)';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' && typeof value !== 'boolean' && value !== null) return `(${kindOf(value)})`;
  // An address may hold a password, even where none is asked for.
  const json = JSON.stringify(value).replace(/\/\/[^/]*@/, `//${MASK}@`);
  return json.length <= LONGEST_QUOTE ? json : `${json.slice(0, LONGEST_QUOTE)}…`;
}
