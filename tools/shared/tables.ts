import { readFileSync } from 'node:fs';
import type { Row } from '../../src/model/row.js';
import type { Store } from '../../src/store/contract.js';
import type { DatabaseServer } from './database-server.js';

/** The DDL the project ships. */
const DDL = readFileSync(new URL('../../../schema/server_call_status.sql', import.meta.url), 'utf8');

/** Makes a database with the table, as shipped or as sites have it whose ip, port and caller are unsigned. */
export async function createTable(
  server: DatabaseServer,
  database: string,
  kind: 'signed' | 'unsigned',
): Promise<void> {
  await server.query(`CREATE DATABASE \`${database}\``);
  const ddl = DDL.replaceAll(/--.*$/gm, '').replace(/;\s*$/, '');
  const columns =
    kind === 'signed' ? ddl : ddl.replaceAll(/\b(ip|port|caller)(\s+)int\(11\)/gi, '$1$2int(11) unsigned');
  const session = await server.session(database);
  await session.query(columns);
  await session.end();
}

/** Makes a database with the table and one, `steps_back`, in which the server notes every row that goes backwards. */
export async function createWatchedTable(server: DatabaseServer, database: string): Promise<void> {
  await createTable(server, database, 'signed');
  const session = await server.session(database);
  await session.query('CREATE TABLE steps_back (caller INT, old INT, new INT)');
  await session.query(
    'CREATE TRIGGER watch AFTER UPDATE ON ServerCallStatus FOR EACH ROW INSERT INTO steps_back ' +
      'SELECT NEW.caller, OLD.succ_cnt, NEW.succ_cnt FROM DUAL WHERE NEW.succ_cnt < OLD.succ_cnt',
  );
  await session.end();
}

/** All rows a store holds, by primary key. */
export async function readAll(store: Store): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of store.read!.rows()) rows.push(row);
  return rows;
}
