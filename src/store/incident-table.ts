import { storeAddress } from './address.js';
import type { IncidentTable } from './contract.js';
import { MysqlIncidents } from './mysql/mysql-incidents.js';

/** Undefined for a store that can have none. Throws StoreError `configuration` for a URL that names no store. */
export function incidentTable(
  url: string,
  timeouts: { readonly connectTimeoutMs: number; readonly queryTimeoutMs: number },
): IncidentTable | undefined {
  const address = storeAddress(url);
  return address.kind === 'mysql' ? new MysqlIncidents(address, timeouts) : undefined;
}
