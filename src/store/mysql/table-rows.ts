import type { Row } from '../../model/row.js';
import type { ServiceNames } from '../../model/service-names.js';
import type { RowFilter, StoreReader } from '../contract.js';
import { classifyMysqlError } from './errors.js';
import { type Cell, MysqlConnection } from './mysql-connection.js';
import type { MysqlServer } from './server.js';
import { KEY_COLUMNS, type KeyColumn, readTable, type TableShape } from './table.js';
import { TABLE } from './upsert.js';
import { readUpstreamNames } from './upstream-names.js';

/** Rows a page: a statement of a few milliseconds, and little memory. */
const PAGE_ROWS = 1000;

export interface MysqlReaderOptions {
  readonly server: MysqlServer;
  readonly description: string;
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/**
 * The read side: each iteration has a connection of its own, ended with it. Rows come in the order of the
 * table's primary key, which counts unsigned columns unsigned. Pages are read one after the other: rows that
 * change meanwhile come once, as they are when their page is read.
 */
export function mysqlReader(options: MysqlReaderOptions): StoreReader {
  return { rows: (filter = {}) => readRows(options, filter), names: () => readNames(options) };
}

async function readNames(options: MysqlReaderOptions): Promise<ServiceNames> {
  const { server, description, connectTimeoutMs, queryTimeoutMs } = options;
  let connection: MysqlConnection | undefined;
  try {
    connection = await MysqlConnection.connect(server, connectTimeoutMs);
    return await readUpstreamNames((sql) => connection!.query(sql, queryTimeoutMs));
  } catch (error) {
    throw classifyMysqlError(error, `reading names of services of ${description}`, false);
  } finally {
    await connection?.close(connectTimeoutMs);
  }
}

async function* readRows(options: MysqlReaderOptions, filter: RowFilter): AsyncGenerator<Row> {
  const { server, description, connectTimeoutMs, queryTimeoutMs } = options;
  let connection: MysqlConnection | undefined;
  try {
    connection = await MysqlConnection.connect(server, connectTimeoutMs);
    const query = (sql: string) => connection!.query(sql, queryTimeoutMs);
    const shape = await readTable(query);
    const { after } = filter;
    let last: readonly Cell[] | undefined =
      after && KEY_COLUMNS.map((name) => inColumn(after[name], shape.signs[name]));
    do {
      const page: readonly (readonly Cell[])[] = await query(pageStatement(shape, filter, last));
      for (const cells of page) yield toRow(cells);
      last = page.length === PAGE_ROWS ? page.at(-1) : undefined;
    } while (last !== undefined);
  } catch (error) {
    throw classifyMysqlError(error, `reading rows of ${description}`, false);
  } finally {
    await connection?.close(connectTimeoutMs);
  }
}

/** The page behind the row `last`: a seek in the primary key, however far into the table. */
function pageStatement(shape: TableShape, filter: RowFilter, last: readonly Cell[] | undefined): string {
  const conditions: string[] = [];
  if (filter.modid !== undefined) conditions.push(`modid=${inColumn(filter.modid, shape.signs.modid)}`);
  if (filter.cmdid !== undefined) conditions.push(`cmdid=${inColumn(filter.cmdid, shape.signs.cmdid)}`);
  if (last !== undefined) conditions.push(`(${behind(shape.keyOrder, last)})`);
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  return (
    `SELECT ${KEY_COLUMNS.join(',')},succ_cnt,err_cnt,ts,overload FROM ${TABLE}${where}` +
    ` ORDER BY ${shape.keyOrder.join(',')} LIMIT ${PAGE_ROWS}`
  );
}

/**
 * `a>1 OR (a=1 AND b>2) OR …`: no server uses an index for the shorter `(a,b)>(1,2)`, all of them do for this.
 */
function behind(keyOrder: readonly KeyColumn[], last: readonly Cell[]): string {
  const value = (name: KeyColumn) => String(last[KEY_COLUMNS.indexOf(name)]);
  return keyOrder
    .map((name, depth) => {
      const same = keyOrder.slice(0, depth).map((before) => `${before}=${value(before)}`);
      return `(${[...same, `${name}>${value(name)}`].join(' AND ')})`;
    })
    .join(' OR ');
}

/** The 32 bits of `value` the column's way. */
export function inColumn(value: number, unsigned: boolean): number {
  return unsigned ? value >>> 0 : value | 0;
}

function toRow(cells: readonly Cell[]): Row {
  const [modid, cmdid, ip, port, caller, succ, err, ts, overload] = cells;
  return {
    modid: Number(modid) | 0,
    cmdid: Number(cmdid) | 0,
    ip: Number(ip) | 0,
    port: Number(port) | 0,
    caller: Number(caller) | 0,
    succ: Number(succ),
    err: Number(err),
    ts: Number(ts),
    // A wider char column comes with spaces behind when the server is set so.
    overload: String(overload).trimEnd() === '1',
  };
}
