import { setTimeout as sleep } from 'node:timers/promises';
import { type BackoffLimits, backoffMs } from '../../model/backoff.js';
import { StoreError } from '../../model/errors.js';
import type { Row } from '../../model/row.js';
import type { ForgetOrder, Forgotten, StoreReader } from '../contract.js';
import { fieldsOf } from '../thrown.js';
import { classifyMysqlError } from './errors.js';
import { MysqlConnection, type Query } from './mysql-connection.js';
import { KEY_COLUMNS, readTable, type TableShape } from './table.js';
import { inColumn, type MysqlReaderOptions } from './table-rows.js';
import { TABLE } from './upsert.js';

/** Rows of one statement: it holds its locks for a millisecond or two. */
const ROWS_A_STATEMENT = 200;
/** Deleting takes one part of the database's time in so many: upserts go on beside it. */
const SHARE = 4;
const LONGEST_PAUSE_MS = 1000;
/** A deadlock with an upsert, a row that is locked: the statement is tried again so often. */
const ATTEMPTS = 4;
const LOCK_WAIT_TIMEOUT = 1205;
const RETRY: BackoffLimits = { firstMs: 50, lastMs: 2000 };
/** A clock that differs by more makes old what is new. */
const CLOCKS_DIFFER_S = 600;

/**
 * Deletes rows whose `ts` is older than `order.beforeS`, some at a time, by primary key. Each statement looks at `ts` once
 * more: a row that was reported since it was read stays. What an upsert writes later stands, whether its row was deleted
 * or not. Rejects with a StoreError; what was deleted until then stays deleted.
 */
export async function* forgetOldRows(
  options: MysqlReaderOptions,
  reader: StoreReader,
  order: ForgetOrder,
): AsyncGenerator<Forgotten> {
  const { server, description, connectTimeoutMs, queryTimeoutMs } = options;
  const forgotten = { looked: 0, old: 0, removed: 0 };
  let connection: MysqlConnection | undefined;
  try {
    connection = await MysqlConnection.connect(server, connectTimeoutMs);
    const query = (sql: string) => connection!.query(sql, queryTimeoutMs);
    await query('SET SESSION autocommit=1,innodb_lock_wait_timeout=1');
    await checkClock(query);
    const shape = await readTable(query);
    let old: Row[] = [];
    for await (const row of reader.rows()) {
      forgotten.looked++;
      if (order.isOld(row)) old.push(row);
      if (old.length < ROWS_A_STATEMENT) continue;
      yield await settle(query, shape, order, old, forgotten);
      old = [];
    }
    yield await settle(query, shape, order, old, forgotten);
  } catch (error) {
    const {
      message,
      class: errorClass,
      code,
    } = classifyMysqlError(error, `forgetting rows of ${description}`, false);
    const hint = /DENIED/.test(code) ? '; GRANT DELETE on the table' : '';
    throw new StoreError(errorClass, code, message + hint, { cause: error });
  } finally {
    await connection?.close(connectTimeoutMs);
  }
}

async function settle(
  query: Query,
  shape: TableShape,
  order: ForgetOrder,
  old: readonly Row[],
  forgotten: { looked: number; old: number; removed: number },
): Promise<Forgotten> {
  forgotten.old += old.length;
  if (old.length > 0 && !order.dryRun) {
    const beganMs = performance.now();
    forgotten.removed += await insist(query, deletion(shape, order.beforeS, old));
    await sleep(Math.min((performance.now() - beganMs) * (SHARE - 1), LONGEST_PAUSE_MS));
  }
  return { ...forgotten };
}

/** Rows deleted; none when one of them stays locked: the next run tries them again. */
async function insist(query: Query, sql: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      await query(sql);
      const [[count] = []] = await query('SELECT ROW_COUNT()');
      return Number(count);
    } catch (error) {
      const passes = classifyMysqlError(error, 'deleting', true).class === 'retry';
      if (attempt === ATTEMPTS && fieldsOf(error).errno === LOCK_WAIT_TIMEOUT) return 0;
      // A lost connection is no answer of the server, and takes another one.
      if (!passes || attempt === ATTEMPTS || fieldsOf(error).fatal) throw error;
      await sleep(backoffMs(attempt, RETRY));
    }
  }
}

/**
 * All of the primary key of each row, so that the server goes to these rows and locks no others; of a small table it
 * would rather lock and read all, unless it is told. `ts` is compared when the row is locked.
 */
function deletion(shape: TableShape, beforeS: number, rows: readonly Row[]): string {
  const keys = rows.map(
    (row) =>
      `(${KEY_COLUMNS.map((name) => `${name}=${inColumn(row[name], shape.signs[name])}`).join(' AND ')})`,
  );
  return `DELETE old FROM ${TABLE} AS old FORCE INDEX (PRIMARY) WHERE ts<${Math.floor(beforeS)} AND (${keys.join(' OR ')})`;
}

async function checkClock(query: Query): Promise<void> {
  const [[serverS] = []] = await query('SELECT UNIX_TIMESTAMP()');
  const aheadS = Number(serverS) - Date.now() / 1000;
  if (Math.abs(aheadS) <= CLOCKS_DIFFER_S) return;
  throw new StoreError(
    'configuration',
    'CLOCKS_DIFFER',
    `the clock of the database is ${Math.round(Math.abs(aheadS))} s ${aheadS > 0 ? 'ahead of' : 'behind'} that of this ` +
      'machine, and by one of them rows that are new would be old: set it right',
  );
}
