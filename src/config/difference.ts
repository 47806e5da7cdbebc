import { isDeepStrictEqual } from 'node:util';
import { describeStoreUrl } from '../store/address.js';
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
  // Where there is such a port, before and afterwards: to come or go it needs a hand-over.
  /^listen\.tls\.(?!port$|host$)/,
  /^store\.(connectTimeoutMs|queryTimeoutMs)$/,
  // A view that is switched on begins with a reading of the store.
  /^view\.(?!enabled$)/,
  /^names$/,
  /^shutdown\./,
  /^supervision\./,
  /^admin\.(token|tokenFile|viewToken|viewTokenFile)$/,
  /^store\.passwordFile$/,
];
const RESTART = [/^keeper\./];

/** The keys whose values differ, in the order of the schema. */
export function differenceOf(from: Config, to: Config): ChangedKey[] {
  return keysOf(schema)
    .filter(({ path }) => !isDeepStrictEqual(valueAt(from, path), valueAt(to, path)))
    .map(({ key, path }) => ({ key, how: howOf(key, valueAt(from, path), valueAt(to, path)) }));
}

/** Of files that are read with the configuration: those whose content is another one, by `LoadedConfig.digests`. */
export function newContents(
  from: ReadonlyMap<string, string>,
  to: ReadonlyMap<string, string>,
): ChangedKey[] {
  return [...to]
    .filter(([key, digest]) => from.has(key) && from.get(key) !== digest)
    .map(([key]) => ({ key, how: 'in-place' }));
}

function howOf(key: string, from: unknown, to: unknown): HowChanged {
  const isAmong = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(key));
  if (isAmong(RESTART)) return 'restart';
  // A new password is for the logins to come.
  if (key === 'store.url' && describeStoreUrl(String(from)) === describeStoreUrl(String(to)))
    return 'in-place';
  // One certificate takes the place of another; TLS itself is of the port.
  if (key.startsWith('admin.tls.') && from !== undefined && to !== undefined) return 'in-place';
  return isAmong(IN_PLACE) ? 'in-place' : 'hand-over';
}
