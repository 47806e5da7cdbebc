import { StoreError } from '../model/errors.js';
import { critical, type Finding, ok, warning } from '../model/finding.js';
import { describeStoreAddress, storeAddress } from './address.js';
import { embeddedStore } from './embedded/store.js';
import { mysqlServer } from './mysql/server.js';
import { diagnoseMysql, type ServerNeeds } from './mysql/server-diagnosis.js';
import { type StoreTlsKeys, storeWayWarning } from './store-tls.js';

export type StoreNeeds = ServerNeeds;

/** Looks at the store that a URL names, and changes nothing. What keeps it from being used is a finding, too. */
export async function diagnoseStore(
  url: string,
  needs: StoreNeeds,
  tls: StoreTlsKeys = {},
): Promise<Finding[]> {
  const way = storeWayWarning(url, tls);
  return [...(way === undefined ? [] : [exposed(way)]), ...(await used(url, tls, needs))];
}

function exposed(text: string): Finding {
  return warning('store-exposed', text, 'docs/operations.md says how, under TLS to the database');
}

async function used(url: string, tls: StoreTlsKeys, needs: StoreNeeds): Promise<Finding[]> {
  try {
    const address = storeAddress(url);
    // A kind that is missing here does not compile.
    switch (address.kind) {
      case 'embedded': {
        await embeddedStore(address).check();
        return [ok('store', `${describeStoreAddress(address)} can be used`)];
      }
      case 'mysql':
        return await diagnoseMysql(mysqlServer(url, tls), needs);
    }
  } catch (error) {
    if (error instanceof StoreError) return [unusable(error)];
    throw error;
  }
}

function unusable({ class: errorClass, code, message }: StoreError): Finding {
  if (errorClass === 'configuration')
    return critical(
      'store-unusable',
      `${message} (${code})`,
      'mend what it says: the reporter does not start with such a store; one that runs journals, and stores nothing',
    );
  return warning(
    'store-away',
    `${message} (${code})`,
    'bring the database back, or mend the way to it; meanwhile reports are journaled and the table gets older',
  );
}
