import { access } from 'node:fs/promises';
import { dataFileOf } from '../lmdb/open-environment.js';
import { StoreError } from '../model/errors.js';
import { type StoreAddress, storeAddress } from './address.js';
import { embeddedStore } from './embedded/store.js';
import { makeIncidentTable, makeTable } from './mysql/ddl.js';
import { mysqlServer } from './mysql/server.js';
import type { StoreTlsKeys } from './store-tls.js';

/** What `migrate` did. */
export type Migration = 'created' | 'unchanged';

/**
 * Makes the table when the database has none (for `embedded:`, the folder), and checks the one that is there.
 * Safe to repeat, and beside a running reporter. Never alters a table: rejects with StoreError `configuration`
 * that says what differs; with the classes of `Store.open` when the store is away.
 */
export async function migrate(url: string, { tls }: { tls?: StoreTlsKeys } = {}): Promise<Migration> {
  const address = storeAddress(url);
  return (await make(url, address, tls)) ? 'created' : 'unchanged';
}

/**
 * Makes the table of incidents, which is optional. Rejects as `migrate` does; with StoreError `configuration` for an
 * embedded store, which has none: its incidents are in the history.
 */
export async function migrateHistory(url: string, { tls }: { tls?: StoreTlsKeys } = {}): Promise<Migration> {
  if (storeAddress(url).kind === 'mysql')
    return (await makeIncidentTable(mysqlServer(url, tls))) ? 'created' : 'unchanged';
  throw new StoreError(
    'configuration',
    'NO_INCIDENT_TABLE',
    'an embedded store has no table of incidents: they are in history.dir, and in /api/incidents',
  );
}

/** Whether it was made now. */
function make(url: string, address: StoreAddress, tls?: StoreTlsKeys): Promise<boolean> {
  // A kind that is missing here does not compile.
  switch (address.kind) {
    case 'embedded':
      return makeFolder(address.dir);
    case 'mysql':
      return makeTable(mysqlServer(url, tls));
  }
}

/** As `makeTable`, for an embedded store. */
async function makeFolder(dir: string): Promise<boolean> {
  const existed = await access(dataFileOf(dir)).then(
    () => true,
    () => false,
  );
  const store = embeddedStore({ dir });
  await store.open();
  await store.close();
  return !existed;
}
