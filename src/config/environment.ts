import { type ConfigKey, knownKeys } from './keys.js';
import { nearest } from './nearest.js';

/** The part of the configuration that the environment sets. */
export interface Overrides {
  /** Values by key (`listen.port`), numbers where a number was asked for and given. */
  readonly values: ReadonlyMap<string, string | number>;
  /** Variables that look as if they were meant for us and are not; one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the `LARS_…` variables. An empty one counts as not set, as container tools pass unset ones on. One that
 * only resembles ours may belong to another program of the site, so it is a warning and not an error.
 */
export function readOverrides(env: NodeJS.ProcessEnv): Overrides {
  const byName = new Map<string, ConfigKey>(knownKeys().map((key) => [key.env, key]));
  const sections = new Set([...byName.keys()].map((name) => name.split('_', 2).join('_')));
  const values = new Map<string, string | number>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('LARS_') || !value) continue;
    const key = byName.get(name);
    if (key) {
      values.set(key.key, key.kind === 'number' ? strictNumber(value) : value);
      continue;
    }
    const meant = nearest(name, byName.keys());
    if (meant) warnings.push(`${name} is not a setting and has no effect; did you mean ${meant}?`);
    else if (sections.has(name.split('_', 2).join('_'))) {
      warnings.push(`${name} is not a setting and has no effect`);
    }
  }
  return { values, warnings };
}

/** The number that `text` spells, digits only; else the text itself, which the schema then rejects. */
function strictNumber(text: string): number | string {
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : text;
}
