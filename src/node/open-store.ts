import { StoreError } from '../model/errors.js';
import type { Store } from '../store/contract.js';
import { openStore as storeOf } from '../store/open.js';
import { storeWayWarning } from '../store/store-tls.js';
import type { Foundation } from './foundation.js';

/**
 * Opens the store. Rejects with a StoreError of class `configuration` when it can never work as it is; one that is
 * only away is reported, and the reporter journals meanwhile.
 */
export async function openStore({ config, options, events, status, teardown }: Foundation): Promise<Store> {
  const store =
    options.store ??
    storeOf(config.store.url, {
      live: config.store,
      tls: config.store.tls,
      onEvent: (event) => events.emit(event),
    });
  const warning = options.store ? undefined : storeWayWarning(config.store.url, config.store.tls);
  if (warning !== undefined) events.emit({ type: 'store-exposed', store: store.description, warning });
  status.add({ store: store.description });
  teardown.add('the store', () => store.close());
  try {
    await store.open();
    events.emit({ type: 'store-opened', store: store.description });
  } catch (error) {
    if (!(error instanceof StoreError) || error.class === 'configuration') throw error;
    events.emit({ type: 'store-unavailable', store: store.description, error });
  }
  return store;
}
