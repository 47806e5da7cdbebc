import { readFile } from 'node:fs/promises';
import { messageOf, StoreError } from '../../model/errors.js';
import type { MysqlServer } from './server.js';
import { withMysql } from './store.js';
import { readTable } from './table.js';

/** Compiled code lives in dist/src/store/mysql, the schema in the package's root. */
const DDL_FILE = new URL('../../../../schema/server_call_status.sql', import.meta.url);

const INCIDENTS_FILE = new URL('../../../../schema/server_call_incident.sql', import.meta.url);

const NO_SUCH_TABLE = 1146;
const COMMAND_DENIED = 1142;

/**
 * Makes the table when the database has none, and checks the one that is there. Resolves with whether it made one.
 * Rejects as `migrate` does.
 */
export async function makeTable(server: MysqlServer): Promise<boolean> {
  const ddl = await readFile(DDL_FILE, 'utf8');
  return withMysql(server, async (query) => {
    try {
      await readTable(query);
      return false;
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== NO_SUCH_TABLE) throw error;
    }
    await query(ddl).catch((error: unknown) => {
      throw isDenied(error) ? mayNotCreate(error, 'server_call_status.sql') : error;
    });
    await readTable(query);
    return true;
  });
}

/** As `makeTable`, of the table of incidents. */
export async function makeIncidentTable(server: MysqlServer): Promise<boolean> {
  const ddl = await readFile(INCIDENTS_FILE, 'utf8');
  return withMysql(server, async (query) => {
    const isThere = (await query("SHOW TABLES LIKE 'ServerCallIncident'")).length > 0;
    if (isThere) return false;
    await query(ddl).catch((error: unknown) => {
      throw isDenied(error) ? mayNotCreate(error, 'server_call_incident.sql') : error;
    });
    return true;
  });
}

const isDenied = (error: unknown) => (error as { errno?: unknown }).errno === COMMAND_DENIED;

/** What the reporter itself needs, this user may have: only making the table takes more. */
function mayNotCreate(cause: unknown, file: string): StoreError {
  return new StoreError(
    'configuration',
    'ER_TABLEACCESS_DENIED_ERROR',
    'there is no table, and this user may not create it: GRANT CREATE on the database, or have an administrator apply ' +
      `schema/${file} (${messageOf(cause)})`,
    { cause },
  );
}
