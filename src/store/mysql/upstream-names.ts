import type { ServiceNames } from '../../model/service-names.js';
import { fieldsOf } from '../thrown.js';
import type { Query } from './mysql-connection.js';

/** Rows of one table that are read at most: it is small, and whoever fills it may be wrong. */
const MAX_NAMES = 100_000;
/** Characters of a name. */
const MAX_LENGTH = 255;

/** The table is missing, may not be read, or has other columns: there are no names then. */
const NOT_THERE = new Set([
  1044, // access to the database denied
  1054, // no such column
  1142, // access to the table denied
  1143, // access to a column denied
  1146, // no such table
]);

/**
 * The names that the console of Lars keeps beside the table of rows: `ModIDConfig` (modid, content) and `CmdIDConfig`
 * (cmdid, content). Either may be missing. Where a number has several rows, the last one read counts.
 */
export async function readUpstreamNames(query: Query): Promise<ServiceNames> {
  return {
    byModid: await namesIn(query, 'ModIDConfig', 'modid'),
    byCmdid: await namesIn(query, 'CmdIDConfig', 'cmdid'),
  };
}

async function namesIn(
  query: Query,
  table: 'ModIDConfig' | 'CmdIDConfig',
  column: 'modid' | 'cmdid',
): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  try {
    const rows = await query(`SELECT ${column},LEFT(content,${MAX_LENGTH}) FROM ${table} LIMIT ${MAX_NAMES}`);
    for (const [number, content] of rows) {
      const name = String(content ?? '').trim();
      // Their columns are unsigned; the same 32 bits.
      if (name !== '') names.set(Number(number) | 0, name);
    }
  } catch (error) {
    const { errno } = fieldsOf(error);
    if (errno === undefined || !NOT_THERE.has(errno)) throw error;
  }
  return names;
}
