import { isLoopback } from '../model/loopback.js';
import { readStoreAddress } from './address.js';
import type { StoreTlsMode, UrlOptions } from './url-options.js';

export { STORE_TLS_MODES } from './url-options.js';

/** `store.tls` of the configuration: what is not given may stand in the address. */
export interface StoreTlsKeys {
  readonly mode?: StoreTlsMode | undefined;
  /** Paths of PEM files. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How the connection is protected, of both. */
export interface StoreTls {
  readonly mode: StoreTlsMode;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What cannot be meant, and the key of `store.tls` that it is about. */
export interface TlsProblem {
  readonly key: keyof StoreTlsKeys;
  readonly problem: string;
}

const NAMES = ['mode', 'ca', 'cert', 'key'] as const;

/** How a connection to a server with these options in its address is protected. */
export function storeTls(options: UrlOptions = {}, keys: StoreTlsKeys = {}): StoreTls {
  return {
    mode: keys.mode ?? options.mode ?? 'off',
    ca: keys.ca ?? options.ca,
    cert: keys.cert ?? options.cert,
    key: keys.key ?? options.key,
  };
}

/** What contradicts itself in an address and `store.tls`; undefined when nothing does. */
export function storeTlsProblem(url: string, keys: StoreTlsKeys): TlsProblem | undefined {
  const address = readStoreAddress(url);
  const options = address.kind === 'mysql' ? (address.options ?? {}) : {};
  for (const key of NAMES) {
    const [one, other] = [keys[key], options[key]];
    if (one !== undefined && other !== undefined && one !== other)
      return { key, problem: `store.url says otherwise, with ssl-${key}: leave one of them out` };
  }
  const { mode, ca, cert, key } = storeTls(options, keys);
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  if (ca !== undefined && !verifies)
    return {
      key: 'ca',
      problem: 'is used where a certificate is verified: set store.tls.mode to verify-full',
    };
  if ((cert === undefined) !== (key === undefined))
    return {
      key: cert === undefined ? 'cert' : 'key',
      problem: 'certificate and key go together: give both',
    };
  if (cert !== undefined && mode === 'off')
    return { key: 'cert', problem: 'is used with TLS alone: set store.tls.mode, too' };
  if (mode === 'verify-full' && options.socket !== undefined)
    return {
      key: 'mode',
      problem: 'a socket file has no host name to verify: leave it out, nobody is in between',
    };
  return undefined;
}

/**
 * What an operator should know of the way to the store, in one sentence without secrets; undefined when nothing. Asks
 * nobody.
 */
export function storeWayWarning(url: string, keys: StoreTlsKeys = {}): string | undefined {
  const address = readStoreAddress(url);
  if (address.kind !== 'mysql') return undefined;
  const { mode } = storeTls(address.options, keys);
  if (address.options?.socket !== undefined)
    return mode === 'off'
      ? undefined
      : 'store.tls is set for a socket file, where nobody can be in between: it protects nothing there';
  if (mode !== 'off' || isLoopback(address.host)) return undefined;
  return (
    `rows go to the store at ${address.host} without encryption, and whoever is in between can read and change them: ` +
    'set store.tls.mode to verify-full'
  );
}
