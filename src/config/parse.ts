import { resolve } from 'node:path';
import type { z } from 'zod';
import { ReporterError } from '../model/errors.js';
import { resolveStoreUrl } from '../store/address.js';
import { type Overrides, readOverrides } from './environment.js';
import { explain } from './explain.js';
import { keysOf } from './keys.js';
import { type Config, schema as ours } from './schema.js';
import { withSecretFiles } from './secret-files.js';
import { type DeepReadonly, deepFreeze, isObject, valueAt, withValue } from './tree.js';

export interface ParseOptions {
  /** Folder that relative paths (`journal.dir`, `embedded:DIR`) are resolved against. */
  readonly baseDir: string;
  /** Environment whose `LARS_…` variables override the input; none unless given. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Checks a configuration, fills in the defaults, and reads the files of secrets. A parsed configuration parses to
 * itself: its files are not read again.
 *
 * Throws ReporterError `CONFIG_INVALID`, whose message names every problem, one a line: the key, its value
 * (masked when secret) and what is expected.
 */
export function parseConfig(input: unknown, { baseDir, env }: ParseOptions): Config {
  return parseWith(ours, input, baseDir, env ? readOverrides(ours, env) : undefined);
}

/** As `parseConfig`, with a schema of the caller's and overrides already read. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  baseDir: string,
  overrides?: Overrides,
): DeepReadonly<z.output<Schema>> {
  if (!overrides && isParsed(schema, input)) return input;
  const secrets = withSecretFiles(schema, overrides ? merge(input, overrides) : input, baseDir, overrides);
  const result = schema.safeParse(secrets.input);
  const problems = [...secrets.problems];
  for (const issue of result.error?.issues ?? [])
    problems.push(...explain(schema, issue, secrets.input, overrides));
  if (!result.success || problems.length > 0) throw new ReporterError('CONFIG_INVALID', problems.join('\n'));
  const config = deepFreeze(resolved(schema, result.data, baseDir));
  if (isObject(config)) parsed.set(config, schema);
  return config;
}

/** Configurations that came out of here, and of which schema. */
const parsed = new WeakMap<object, z.ZodType>();

function isParsed<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): input is DeepReadonly<z.output<Schema>> {
  return isObject(input) && parsed.get(input) === schema;
}

function merge(input: unknown, { values }: Overrides): unknown {
  if (!isObject(input)) return input;
  // A section of the wrong type stays: it is a problem of its own, told by the schema.
  let merged: unknown = input;
  for (const [{ path }, value] of values) merged = withValue(merged, path, value);
  return merged;
}

function resolved<T>(schema: z.ZodType, config: T, baseDir: string): T {
  let result: unknown = config;
  for (const { path, place } of keysOf(schema)) {
    const value = place === undefined ? undefined : valueAt(config, path);
    if (typeof value !== 'string') continue;
    const absolute = (text: string) => resolve(baseDir, text);
    result = withValue(result, path, place === 'store' ? resolveStoreUrl(value, absolute) : absolute(value));
  }
  return result as T;
}
