import { messageOf } from '../../model/errors.js';
import type { IncidentTable, StoredIncident } from '../contract.js';
import { classifyMysqlError } from './errors.js';
import { MysqlConnection, type Query } from './mysql-connection.js';
import type { MysqlReaderOptions } from './table-rows.js';

const NO_SUCH_TABLE = 1146;
const TABLE_DENIED = 1142;
const COLUMNS = 'modid,cmdid,ip,port,began,ended,peak_hot,callers,relapses,calls,errs,first_caller';
const NEWER = ['ended', 'peak_hot', 'callers', 'relapses', 'calls', 'errs', 'first_caller']
  .map((column) => `${column}=VALUES(${column})`)
  .join(',');
const CLOSE_MS = 1_000;
/** Each right that copying takes, and no row. */
const EMPTY_COPY =
  `INSERT INTO ServerCallIncident (${COLUMNS}) SELECT ${COLUMNS} FROM ServerCallIncident WHERE 1=0 ` +
  'ON DUPLICATE KEY UPDATE ended=NULL';

/** What is in the way of copying incidents; undefined: nothing. */
export type IncidentObstacle = 'no-table' | { readonly refusal: string } | undefined;

/** Looks whether this user may copy incidents on this server. Changes nothing. A table that it may not see is none. */
export async function incidentObstacle(query: Query): Promise<IncidentObstacle> {
  if ((await query("SHOW TABLES LIKE 'ServerCallIncident'")).length === 0) return 'no-table';
  return query(EMPTY_COPY).then(
    () => undefined,
    (error: unknown) => ({ refusal: messageOf(error) }),
  );
}

/** `ServerCallIncident`, on a connection of its own: what happens to it is nobody else's affair. */
export class MysqlIncidents implements IncidentTable {
  readonly #settings: MysqlReaderOptions;
  #connection: MysqlConnection | undefined;

  /** Asked for at each connection: some of them may change. */
  constructor(settings: MysqlReaderOptions) {
    this.#settings = settings;
  }

  async newest(): Promise<number | undefined> {
    try {
      const [[newest] = []] = await this.#query('SELECT MAX(began) FROM ServerCallIncident');
      return Number(newest ?? 0);
    } catch (error) {
      const { errno } = (error as { cause?: { errno?: unknown } }).cause ?? {};
      if (errno === NO_SUCH_TABLE || errno === TABLE_DENIED) return undefined;
      throw error;
    }
  }

  async write(incidents: readonly StoredIncident[]): Promise<void> {
    if (incidents.length === 0) return;
    const rows = incidents.map((one) => `(${valuesOf(one).map(literal).join(',')})`);
    await this.#query(
      `INSERT INTO ServerCallIncident (${COLUMNS}) VALUES ${rows.join(',')} ON DUPLICATE KEY UPDATE ${NEWER}`,
    );
  }

  async close(): Promise<void> {
    await this.#connection?.close(CLOSE_MS);
    this.#connection = undefined;
  }

  async #query(sql: string) {
    const { server, description, connectTimeoutMs, queryTimeoutMs } = this.#settings;
    try {
      if (!this.#connection?.usable)
        this.#connection = await MysqlConnection.connect(server, connectTimeoutMs);
      return await this.#connection.query(sql, queryTimeoutMs);
    } catch (error) {
      throw classifyMysqlError(error, `incidents in ${description}`, true);
    }
  }
}

function valuesOf(one: StoredIncident): (number | null)[] {
  const { modid, cmdid, ip, port, began, ended, peakHot, callers, relapses, calls, errors } = one;
  const firstCaller = one.firstCaller === null ? null : one.firstCaller >>> 0;
  return [modid, cmdid, ip >>> 0, port, began, ended, peakHot, callers, relapses, calls, errors, firstCaller];
}

/** Numbers alone: there is nothing to be quoted. */
function literal(value: number | null): string {
  return value === null ? 'NULL' : String(Math.trunc(value));
}
