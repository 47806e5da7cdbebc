import type { Report } from '../model/report.js';
import { MAX_COUNTER, type Row } from '../model/row.js';
import type { RowPlace } from '../store/contract.js';

export type { RowPlace as RowKey };

/**
 * The primary key as a text, its columns in order as int32.
 *
 *     keyOf({ modid: 1, cmdid: 2, ip: 3, port: 80, caller: 9 }); // '1/2/3/80/9'
 */
export function keyOf({ modid, cmdid, ip, port, caller }: RowPlace): string {
  return `${modid | 0}/${cmdid | 0}/${ip | 0}/${port | 0}/${caller | 0}`;
}

/**
 * The rows that a report comes to, in its order: one a host, addresses as int32, counters saturated to 2^31-1.
 *
 *     for (const row of rowsOf(report)) console.log(keyOf(row), row.succ);
 */
export function rowsOf({ modid, cmdid, caller, ts, results }: Report): Row[] {
  return results.map(({ ip, port, succ, err, overload }) => ({
    modid,
    cmdid,
    ip: ip | 0,
    port,
    caller: caller | 0,
    succ: Math.min(succ, MAX_COUNTER),
    err: Math.min(err, MAX_COUNTER),
    ts: ts >>> 0,
    overload,
  }));
}
