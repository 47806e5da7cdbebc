import { resolve } from 'node:path';
import type { z } from 'zod';
import { ReporterError } from '../model/errors.js';
import { resolveStoreUrl } from '../store/address.js';
import { type Overrides, readOverrides } from './environment.js';
import { explain } from './explain.js';
import { keysOf } from './keys.js';
import { type Config, schema as ours } from './schema.js';
import { type DeepReadonly, deepFreeze, isObject, valueAt, withValue } from './tree.js';

export interface ParseOptions {
  /** Folder that relative paths (`journal.dir`, `embedded:DIR`) are resolved against. */
  readonly baseDir: string;
  /** Environment whose `LARS_…` variables override the input; none unless given. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Checks a configuration and fills in the defaults. A parsed configuration parses to itself.
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
  const merged = overrides ? merge(input, overrides) : input;
  const result = schema.safeParse(merged);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => explain(schema, issue, merged, overrides));
    throw new ReporterError('CONFIG_INVALID', problems.join('\n'));
  }
  return deepFreeze(resolved(schema, result.data, baseDir));
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
