import { resolve } from 'node:path';
import type { z } from 'zod';
import { ReporterError } from '../model/errors.js';
import { type Overrides, readOverrides } from './environment.js';
import { knownKeys } from './keys.js';
import { nearest } from './nearest.js';
import { type Config, schema } from './schema.js';
import { kindOf, printable } from './secrets.js';
import { EMBEDDED } from './values.js';

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
export function parseConfig(input: unknown, options: ParseOptions): Config {
  return parseWith(input, options.baseDir, options.env ? readOverrides(options.env) : undefined);
}

/** As `parseConfig`, with overrides already read. */
export function parseWith(input: unknown, baseDir: string, overrides?: Overrides): Config {
  const merged = overrides ? merge(input, overrides) : input;
  const result = schema.safeParse(merged);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => explain(issue, merged, overrides));
    throw new ReporterError('CONFIG_INVALID', problems.join('\n'));
  }
  return resolved(result.data, baseDir);
}

function merge(input: unknown, { values }: Overrides): unknown {
  if (!isObject(input)) return input;
  const merged: Record<string, unknown> = { ...input };
  for (const [key, value] of values) {
    const [section, name] = key.split('.') as [string, string];
    const before = merged[section] ?? {};
    // A section of the wrong type is a problem of its own, told by the schema.
    if (isObject(before)) merged[section] = { ...before, [name]: value };
  }
  return merged;
}

function resolved(config: z.output<typeof schema>, baseDir: string): Config {
  const { url } = config.store;
  const paths = {
    ...config,
    journal: { ...config.journal, dir: resolve(baseDir, config.journal.dir) },
    store: {
      ...config.store,
      url: url.startsWith(EMBEDDED) ? EMBEDDED + resolve(baseDir, url.slice(EMBEDDED.length)) : url,
    },
  };
  for (const section of Object.values(paths)) Object.freeze(section);
  return Object.freeze(paths);
}

/** One line a problem. */
function explain(issue: z.core.$ZodIssue, input: unknown, overrides?: Overrides): string[] {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey(key, name));
  if (key === '') return [`the configuration is ${kindOf(input)}: expected an object, for example {}`];
  const known = knownKeys().find((one) => one.key === key);
  if (!known)
    return [`${key} = ${printable(key, valueAt(input, issue.path))}: expected an object of its keys`];
  const value = valueAt(input, issue.path);
  const from = overrides?.values.has(key) ? ` (from ${known.env})` : '';
  const problem = issue.code === 'custom' && issue.message !== 'Invalid input' ? issue.message : '';
  const hint =
    from !== '' && typeof value === 'string' && /^(tcp|udp):\/\//.test(value)
      ? '; Kubernetes sets this variable for a service of that name: set enableServiceLinks to false'
      : '';
  return [`${key} = ${printable(key, value)}${from}: ${problem || `expected ${known.expected}`}${hint}`];
}

function unknownKey(section: string, name: string): string {
  const path = section === '' ? name : `${section}.${name}`;
  const keys = knownKeys().map((one) => one.key);
  if (section === '' && keys.includes(name)) {
    const [outer, inner] = name.split('.');
    return `${name}: unknown key; write it nested: { "${outer}": { "${inner}": … } }`;
  }
  const here = keys.filter((key) => key.startsWith(`${section}.`));
  const sections = [...new Set(keys.map((key) => key.split('.')[0]!))];
  const meant =
    nearest(path, section === '' ? sections : here) ??
    nearest(name, keys, (key) => [key, key.slice(key.indexOf('.') + 1)]);
  const known = (here.length > 0 ? here : sections).join(', ');
  return `${path}: unknown key; ${meant ? `did you mean ${meant}?` : `known are ${known}`}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? value[name as string] : undefined), input);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
