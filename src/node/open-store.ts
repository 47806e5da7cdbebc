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
    await orAborted(store.open(), options.store && options.signal);
    events.emit({ type: 'store-opened', store: store.description });
  } catch (error) {
    if (!(error instanceof StoreError) || error.class === 'configuration') throw error;
    events.emit({ type: 'store-unavailable', store: store.description, error });
  }
  return store;
}

/** A store of the host is not waited for when the start is given up: nobody knows how long that would take. */
async function orAborted(opening: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return opening;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // What opens may have aborted it.
    if (signal.aborted) abort();
  });
  try {
    await Promise.race([opening, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Whatever it comes to, nobody waits for it any more.
    opening.catch(() => {});
  }
}
