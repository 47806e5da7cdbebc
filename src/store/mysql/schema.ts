import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, StoreError } from '../../model/errors.js';
import { storeAddress } from '../address.js';
import { embeddedStore } from '../embedded/store.js';
import { withMysql } from './store.js';
import { readTable } from './table.js';

/** Compiled code lives in dist/src/store/mysql, the schema in the package's root. */
const DDL_FILE = new URL('../../../../schema/server_call_status.sql', import.meta.url);

/** What `migrate` did. */
export type Migration = 'created' | 'unchanged';

const NO_SUCH_TABLE = 1146;
const COMMAND_DENIED = 1142;

/**
 * Makes the table when the database has none (for `embedded:`, the folder), and checks the one that is there.
 * Safe to repeat, and beside a running reporter. Never alters a table: rejects with StoreError `configuration`
 * that says what differs; with the classes of `Store.open` when the store is away.
 */
export async function migrate(url: string): Promise<Migration> {
  const address = storeAddress(url);
  return address.kind === 'mysql' ? migrateMysql(url) : migrateEmbedded(address.dir);
}

async function migrateMysql(url: string): Promise<Migration> {
  const ddl = await readFile(DDL_FILE, 'utf8');
  return withMysql(url, async (query) => {
    try {
      await readTable(query);
      return 'unchanged';
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== NO_SUCH_TABLE) throw error;
    }
    await query(ddl).catch((error: unknown) => {
      throw (error as { errno?: unknown }).errno === COMMAND_DENIED ? mayNotCreate(error) : error;
    });
    await readTable(query);
    return 'created';
  });
}

/** What the reporter itself needs, this user may have: only making the table takes more. */
function mayNotCreate(cause: unknown): StoreError {
  return new StoreError(
    'configuration',
    'ER_TABLEACCESS_DENIED_ERROR',
    'there is no table, and this user may not create it: GRANT CREATE on the database, or have an administrator apply ' +
      `schema/server_call_status.sql (${messageOf(cause)})`,
    { cause },
  );
}

async function migrateEmbedded(dir: string): Promise<Migration> {
  const existed = await access(path.join(dir, 'data.mdb')).then(
    () => true,
    () => false,
  );
  const store = embeddedStore({ dir });
  await store.open();
  await store.close();
  return existed ? 'unchanged' : 'created';
}
