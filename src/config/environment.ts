import type { z } from 'zod';
import { findRepeatedNames } from './json.js';
import { type ConfigKey, type KeyKind, keysOf } from './keys.js';
import { nearest } from './nearest.js';

/** The part of the configuration that the environment sets. */
export interface Overrides {
  /** Values by key (`listen.port`), of the key's kind where that was given; else the text. */
  readonly values: ReadonlyMap<ConfigKey, unknown>;
  /** What was read otherwise than it was written, or not at all though it looks as if it were ours; a sentence each. */
  readonly warnings: readonly string[];
}

const PREFIX = 'LARS_';

/**
 * Reads the `LARS_…` variables. An empty one counts as not set, as container tools pass unset ones on. White space
 * around a value is removed with a warning: files of variables leave line ends there, and secrets are made with them. One
 * that only resembles ours may belong to another program of the site, so it is a warning and not an error.
 */
export function readOverrides(schema: z.ZodType, env: NodeJS.ProcessEnv): Overrides {
  const byName = new Map<string, ConfigKey>(keysOf(schema).map((key) => [key.env, key]));
  const sections = new Set([...byName.keys()].map((name) => name.split('_', 2).join('_')));
  const values = new Map<ConfigKey, unknown>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || !value) continue;
    const key = byName.get(name);
    if (key) {
      const text = value.trim();
      if (text !== value)
        warnings.push(`${name} has ${around(value, text)} around its value, which was left out`);
      if (text !== '') values.set(key, read(text, key));
      continue;
    }
    // What all have in common says nothing.
    const meant = nearest(name.slice(PREFIX.length), byName.keys(), (one) => [one.slice(PREFIX.length)]);
    if (meant) warnings.push(`${name} is not a setting and has no effect; did you mean ${meant}?`);
    else if (sections.has(name.split('_', 2).join('_'))) {
      warnings.push(`${name} is not a setting and has no effect`);
    }
  }
  return { values, warnings };
}

function around(value: string, text: string): string {
  const left = value.replace(text, '');
  if (left.includes('\r')) return 'a carriage return';
  return left.includes('\n') ? 'a line end' : 'white space';
}

/** The value that `text` spells; else the text itself, which the schema then rejects. */
function read(text: string, { kind, item }: ConfigKey): unknown {
  if (kind === 'list') return text.split(',').map((each) => plain(each.trim(), item!.kind));
  return kind === 'record' ? record(text) : plain(text, kind);
}

function plain(text: string, kind: KeyKind): string | number | boolean {
  if (kind === 'integer') return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : text;
  if (kind === 'number') return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return text;
}

/** An object, written as JSON. */
function record(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return findRepeatedNames(text).length === 0 ? value : text;
  } catch {
    return text;
  }
}
