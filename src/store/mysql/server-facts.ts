import type { Query } from './mysql-connection.js';
import { type IncidentObstacle, incidentObstacle } from './mysql-incidents.js';
import { KEY_COLUMNS } from './table.js';
import { TABLE } from './upsert.js';
import { readUpstreamNames } from './upstream-names.js';

/** What a server says of itself and of the table. */
export interface ServerFacts {
  /** Of the variables below, by name; those that this server does not have are missing. */
  readonly variables: ReadonlyMap<string, string>;
  /** Connections that are open now. */
  readonly connected: number;
  /** A round trip, milliseconds. */
  readonly roundTripMs: number;
  /** Seconds by which the server's clock is ahead of ours. */
  readonly clockAheadS: number;
  /** As the server estimates them. */
  readonly rows: number;
  readonly tableBytes: number;
  /** Keys beside the primary one that have the same columns. */
  readonly doubleKeys: readonly string[];
  /** Whether this user may delete rows, as `forget` does. */
  readonly mayDelete: boolean;
  readonly names: number;
  readonly incidents: IncidentObstacle;
}

export const VARIABLES = [
  'version',
  'version_comment',
  'read_only',
  'max_allowed_packet',
  'wait_timeout',
  'max_connections',
  'max_user_connections',
  'innodb_flush_log_at_trx_commit',
  'log_bin',
  'sync_binlog',
  'wsrep_on',
  'group_replication_single_primary_mode',
] as const;

const CLOCK_LOOKS = 5;

/** Asks a server whose table is as it should be. Changes nothing. */
export async function readServerFacts(query: Query): Promise<ServerFacts> {
  const quoted = VARIABLES.map((name) => `'${name}'`).join(',');
  const variables = await query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${quoted})`);
  const [[, connected] = []] = await query("SHOW GLOBAL STATUS WHERE Variable_name='Threads_connected'");
  const { roundTripMs, clockAheadS } = await readClock(query);
  // Name, Engine, Version, Row_format, Rows, Avg_row_length, Data_length, Max_data_length, Index_length, …
  const [status = []] = await query(`SHOW TABLE STATUS LIKE '${TABLE}'`);
  const { byModid, byCmdid } = await readUpstreamNames(query);
  return {
    variables: new Map(variables.map(([name, value]) => [String(name), String(value)])),
    connected: Number(connected ?? 0),
    ...{ roundTripMs, clockAheadS },
    rows: Number(status[4] ?? 0),
    tableBytes: Number(status[6] ?? 0) + Number(status[8] ?? 0),
    doubleKeys: await doubleKeysIn(query),
    mayDelete: await mayDelete(query),
    names: byModid.size + byCmdid.size,
    incidents: await incidentObstacle(query),
  };
}

/** Of several round trips the shortest: in the others this machine or the server had something else to do. */
async function readClock(query: Query): Promise<Pick<ServerFacts, 'roundTripMs' | 'clockAheadS'>> {
  let shortest = { roundTripMs: Number.POSITIVE_INFINITY, clockAheadS: 0 };
  for (let look = 0; look < CLOCK_LOOKS; look++) {
    const beganMs = performance.now();
    const beganAtMs = Date.now();
    const [[serverS] = []] = await query('SELECT UNIX_TIMESTAMP(NOW(6))');
    const roundTripMs = performance.now() - beganMs;
    const clockAheadS = Number(serverS) - (beganAtMs + roundTripMs / 2) / 1000;
    if (roundTripMs < shortest.roundTripMs) shortest = { roundTripMs, clockAheadS };
  }
  return shortest;
}

async function doubleKeysIn(query: Query): Promise<string[]> {
  const columns = new Map<string, string[]>();
  // Table, Non_unique, Key_name, Seq_in_index, Column_name, …
  for (const [, , key, , column] of await query(`SHOW INDEX FROM ${TABLE}`))
    columns.set(String(key), [...(columns.get(String(key)) ?? []), String(column).toLowerCase()]);
  return [...columns]
    .filter(
      ([key, of]) =>
        key !== 'PRIMARY' &&
        of.length === KEY_COLUMNS.length &&
        KEY_COLUMNS.every((name) => of.includes(name)),
    )
    .map(([key]) => key);
}

async function mayDelete(query: Query): Promise<boolean> {
  try {
    // Checks the right, and deletes nothing.
    await query(`EXPLAIN DELETE FROM ${TABLE} WHERE 1=0`);
    return true;
  } catch {
    return false;
  }
}
