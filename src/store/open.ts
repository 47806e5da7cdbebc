import { storeAddress } from './address.js';
import type { Store } from './contract.js';
import { embeddedStore } from './embedded/store.js';
import { type MysqlStoreOptions, mysqlStore } from './mysql/store.js';

export type OpenStoreOptions = Omit<MysqlStoreOptions, 'url'>;

/**
 * The store a URL names. Opens nothing yet: call `open()`.
 * Throws StoreError `configuration` for a URL that names no store; the URL itself is not repeated.
 */
export function openStore(url: string, options: OpenStoreOptions = {}): Store {
  const address = storeAddress(url);
  // A kind that is missing here does not compile.
  switch (address.kind) {
    case 'embedded':
      return embeddedStore(address);
    case 'mysql':
      return mysqlStore({ ...options, url });
  }
}
