import { StoreError } from '../model/errors.js';
import type { Store } from './contract.js';
import { embeddedStore } from './embedded/store.js';
import { describeMysqlAddress, parseMysqlUrl } from './mysql/connection.js';
import { type MysqlStoreOptions, mysqlStore } from './mysql/store.js';

const FORMS = 'embedded:DIR or mysql://user:password@host:port/database';
const EMBEDDED = 'embedded:';

export type OpenStoreOptions = Omit<MysqlStoreOptions, 'url'>;

/**
 * The store a URL names. Opens nothing yet: call `open()`.
 * Throws StoreError `configuration` for a URL that names no store; the URL itself is not repeated.
 */
export function openStore(url: string, options: OpenStoreOptions = {}): Store {
  const dir = embeddedDir(url);
  return dir === undefined ? mysqlStore({ ...options, url }) : embeddedStore({ dir });
}

/** The URL for logs and people: the password masked, and everything masked of a URL that cannot be parsed. */
export function describeStoreUrl(url: string): string {
  if (url.startsWith(EMBEDDED)) return url;
  try {
    return describeMysqlAddress(parseMysqlUrl(url));
  } catch {
    return `${/^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? ''}***`;
  }
}

/**
 * The folder of an `embedded:` URL, undefined for `mysql:`.
 * Throws StoreError `configuration` for any other scheme, and for an empty folder.
 */
export function embeddedDir(url: string): string | undefined {
  if (url.startsWith(EMBEDDED)) {
    const dir = url.slice(EMBEDDED.length);
    if (dir === '')
      throw new StoreError('configuration', 'STORE_URL', 'store.url names no folder: embedded:DIR');
    return dir;
  }
  if (!url.startsWith('mysql:'))
    throw new StoreError('configuration', 'STORE_URL', `store.url names no store; it is ${FORMS}`);
  return undefined;
}
