import { resolve } from 'node:path';
import type { z } from 'zod';
import { readPrivateFile } from '../model/private-file.js';
import { readStoreAddress, withPassword } from '../store/address.js';
import type { Overrides } from './environment.js';
import { type ConfigKey, keysOf } from './keys.js';
import { MASK } from './secrets.js';
import { isObject, valueAt, withValue } from './tree.js';
import { pathProblem, textProblem } from './values.js';

export interface WithSecrets {
  /** The configuration with every secret at its key. */
  readonly input: unknown;
  /** Of the files, a line each. */
  readonly problems: readonly string[];
}

/** Puts what the files of secrets hold where the secrets themselves would stand. Relative paths are of `baseDir`. */
export function withSecretFiles(
  schema: z.ZodType,
  input: unknown,
  baseDir: string,
  overrides?: Overrides,
): WithSecrets {
  const problems: string[] = [];
  let filled = input;
  if (!isObject(input)) return { input, problems };
  for (const key of keysOf(schema)) {
    const target = keysOf(schema).find((one) => one.key === key.holds);
    const file = valueAt(input, key.path);
    // What is no path is told by the schema.
    if (!target || typeof file !== 'string' || file === '' || pathProblem(file) !== undefined) continue;
    const from = overrides?.values.has(key) ? ` (from ${key.env})` : '';
    const refuse = (problem: string, shown = JSON.stringify(file)) =>
      problems.push(`${key.key} = ${shown}${from}: ${problem}`);
    if (isGiven(target, input)) {
      const its = target.place === 'store' ? `the password in ${target.key}` : target.key;
      const there = overrides?.values.has(target) ? ` (from ${target.env})` : '';
      refuse(`${its}${there} is given, too: leave one of the two out`);
      continue;
    }
    const found = secretIn(resolve(baseDir, file), target);
    if ('problem' in found && !found.isThere && !/^\.{0,2}\//.test(file))
      refuse('names no file; not shown, for it may be the secret itself: write a path', MASK);
    else if ('problem' in found) refuse(found.problem);
    else
      filled = withValue(filled, target.path, filledWith(target, valueAt(filled, target.path), found.secret));
  }
  return { input: filled, problems };
}

/** Whether the secret stands in the configuration itself. */
function isGiven(target: ConfigKey, input: unknown): boolean {
  const value = valueAt(input, target.path);
  if (target.place !== 'store') return value !== undefined;
  const address = typeof value === 'string' ? readStoreAddress(value) : undefined;
  return address?.kind === 'mysql' && address.password !== '';
}

/** A store without a server needs no password. */
function filledWith({ place }: ConfigKey, value: unknown, secret: string): unknown {
  if (place !== 'store') return secret;
  const isMysql = typeof value === 'string' && readStoreAddress(value).kind === 'mysql';
  return isMysql ? withPassword(value, secret) : value;
}

function secretIn(
  path: string,
  target: ConfigKey,
): { readonly secret: string } | { readonly problem: string; readonly isThere: boolean } {
  const found = readPrivateFile(path);
  if ('problem' in found) return found;
  // Editors and `echo` leave a line end.
  const secret = found.bytes.toString('utf8').replace(/(\r?\n)+$/, '');
  if (secret === '') return { problem: 'holds nothing', isThere: true };
  const problem = secret.includes('\ufffd') ? 'is no text in UTF-8' : problemOf(secret, target);
  return problem === undefined ? { secret } : { problem: `its content ${problem}`, isThere: true };
}

/** Of an address, what a password cannot be written with is less than of a token: it may well stand in quotes. */
function problemOf(secret: string, { place }: ConfigKey): string | undefined {
  return textProblem(place === 'store' ? `p${secret}` : secret);
}
