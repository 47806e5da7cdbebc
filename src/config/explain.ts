import type { z } from 'zod';
import type { Overrides } from './environment.js';
import { type ConfigKey, keysOf } from './keys.js';
import { nearest } from './nearest.js';
import { kindOf, printable } from './secrets.js';
import { valueAt } from './tree.js';

/** What zod found, for people: one line a problem, with key, value (masked when secret) and what is expected. */
export function explain(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  input: unknown,
  overrides: Overrides | undefined,
): string[] {
  const keys = keysOf(schema);
  const { path } = issue;
  const key = keys.find((one) => one.path.every((name, index) => name === path[index]));
  if (issue.code === 'unrecognized_keys') {
    const section = path.map(String);
    return issue.keys.map((name) => unknownKey(keys, section, name));
  }
  if (path.length === 0) return [`the configuration is ${kindOf(input)}: expected an object, for example {}`];
  const value = valueAt(input, path);
  if (!key) return [`${path.join('.')} = ${printable(key, value)}: expected an object of its keys`];
  return [explainKey(key, issue, value, overrides)];
}

function explainKey(
  key: ConfigKey,
  { path, code, message }: z.core.$ZodIssue,
  value: unknown,
  overrides: Overrides | undefined,
): string {
  const inner = path.slice(key.path.length);
  const name = key.key + inner.map((part) => `[${JSON.stringify(part)}]`).join('');
  const from = overrides?.values.has(key) ? ` (from ${key.env})` : '';
  const expected = (inner.length > 0 ? key.item?.expected : undefined) ?? key.expected;
  const problem = code === 'custom' && message !== 'Invalid input' ? message : `expected ${expected}`;
  const hint =
    from !== '' && typeof value === 'string' && /^(tcp|udp):\/\//.test(value)
      ? '; Kubernetes sets this variable for a service of that name: set enableServiceLinks to false'
      : '';
  return `${name} = ${printable(key, value)}${from}: ${problem}${hint}`;
}

function unknownKey(keys: readonly ConfigKey[], section: readonly string[], name: string): string {
  const path = [...section, name].join('.');
  const dotted = keys.find((one) => one.key === path);
  if (dotted) {
    const nested = dotted.path
      .slice(section.length)
      .reduceRight((inner, part) => `{ "${part}": ${inner} }`, '…');
    return `${path}: unknown key; write it nested: ${nested}`;
  }
  const here = childrenOf(keys, section);
  const meant =
    nearest(path, here) ??
    nearest(
      name,
      keys.map((one) => one.key),
      tails,
    );
  return `${path}: unknown key; ${meant ? `did you mean ${meant}?` : `known are ${here.join(', ')}`}`;
}

/** Keys and sections that stand right in a section. */
function childrenOf(keys: readonly ConfigKey[], section: readonly string[]): string[] {
  const inside = keys.filter(({ path }) => section.every((name, index) => name === path[index]));
  return [...new Set(inside.map(({ path }) => path.slice(0, section.length + 1).join('.')))];
}

/** `listen.perAddress.keys`, `perAddress.keys` and `keys`. */
function tails(key: string): string[] {
  const parts = key.split('.');
  return parts.map((_, index) => parts.slice(index).join('.'));
}
