import { StoreError } from '../../model/errors.js';
import { isLoopback } from '../../model/loopback.js';
import { type MysqlAddress, storeAddress } from '../address.js';
import { type StoreTls, type StoreTlsKeys, storeTls } from '../store-tls.js';

/** A server of MySQL, and how it is spoken to. */
export interface MysqlServer extends MysqlAddress {
  readonly tls: StoreTls;
}

/** Throws StoreError `configuration` when the URL names no MySQL. */
export function mysqlServer(url: string, keys?: StoreTlsKeys): MysqlServer {
  const address = storeAddress(url);
  if (address.kind === 'mysql') return { ...address, tls: storeTls(address.options, keys) };
  throw new StoreError('configuration', 'STORE_URL', 'store.url names no MySQL server');
}

/** Where it is, for people. */
export function serverPlace({ host, port, options }: MysqlServer): string {
  return options?.socket ?? `${host}:${port}`;
}

/** Whether whoever stands on the way to it could listen: nobody does on this machine. */
export function isOnTheNetwork({ host, options, tls }: MysqlServer): boolean {
  return tls.mode === 'off' && options?.socket === undefined && !isLoopback(host);
}
