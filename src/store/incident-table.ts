import { describeStoreUrl, storeAddress } from './address.js';
import type { IncidentTable } from './contract.js';
import { MysqlIncidents } from './mysql/mysql-incidents.js';
import { mysqlServer } from './mysql/server.js';
import type { StoreTlsKeys } from './store-tls.js';

/** `store` of the configuration: asked for at each connection, as some of it may change. */
interface TableSettings {
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  readonly tls?: StoreTlsKeys;
}

/** Undefined for a store that can have none. Throws StoreError `configuration` for a URL that names no store. */
export function incidentTable(settings: TableSettings): IncidentTable | undefined {
  if (storeAddress(settings.url).kind !== 'mysql') return undefined;
  return new MysqlIncidents({
    get server() {
      return mysqlServer(settings.url, settings.tls);
    },
    description: describeStoreUrl(settings.url),
    get connectTimeoutMs() {
      return settings.connectTimeoutMs;
    },
    get queryTimeoutMs() {
      return settings.queryTimeoutMs;
    },
  });
}
