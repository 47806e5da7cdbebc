import { isDeepStrictEqual } from 'node:util';
import { keysOf } from './keys.js';
import { type Config, schema } from './schema.js';
import { valueAt } from './tree.js';

/**
 * How a running reporter comes to another value of a key:
 * - `in-place`: it uses it from then on.
 * - `hand-over`: a new process takes over, with every connection.
 * - `restart`: only a restart does.
 */
export type HowChanged = 'in-place' | 'hand-over' | 'restart';

export interface ChangedKey {
  readonly key: string;
  readonly how: HowChanged;
}

/**
 * Keys that are asked for where they are used; the others have shaped what runs: decoders of connections, tables of
 * writers, the journal, ports, sessions of a store at another address.
 */
const IN_PLACE = [
  /^log\.level$/,
  /^listen\.(maxConnections|maxInflightBytes|frameTimeoutMs|maxBadFrames)$/,
  /^listen\.(allow|deny|proxyFrom|verifyCaller|verifyExcept)$/,
  /^listen\.perAddress\./,
  /^store\.(connectTimeoutMs|queryTimeoutMs)$/,
  // A view that is switched on begins with a reading of the store.
  /^view\.(?!enabled$)/,
  /^names$/,
  /^shutdown\./,
  /^supervision\./,
  /^admin\.(token|viewToken)$/,
];
const RESTART = [/^keeper\./];

/** The keys whose values differ, in the order of the schema. */
export function differenceOf(from: Config, to: Config): ChangedKey[] {
  return keysOf(schema)
    .filter(({ path }) => !isDeepStrictEqual(valueAt(from, path), valueAt(to, path)))
    .map(({ key }) => ({ key, how: howOf(key) }));
}

function howOf(key: string): HowChanged {
  const isAmong = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(key));
  if (isAmong(RESTART)) return 'restart';
  return isAmong(IN_PLACE) ? 'in-place' : 'hand-over';
}
