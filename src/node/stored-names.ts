import { NO_SERVICE_NAMES, type ServiceNames } from '../model/service-names.js';
import type { StoreReader } from '../store/contract.js';

/** How often names are read again. */
const EVERY_MS = 60_000;

export interface StoredNamesFollowing {
  /** Tells what is known once more, to who has forgotten it. */
  tell(): void;
  end(): void;
}

/**
 * Reads names of services from the store, now and every minute, and tells of them when they are others. What cannot be
 * read stays as it was: names are worth no complaint.
 */
export function followStoredNames(
  reader: StoreReader | undefined,
  onNames: (names: ServiceNames) => void,
  everyMs = EVERY_MS,
): StoredNamesFollowing {
  let known = NO_SERVICE_NAMES;
  let isReading = false;
  let isEnded = false;
  const look = async () => {
    // A store that hangs is asked once at a time.
    if (isReading || !reader?.names) return;
    isReading = true;
    try {
      const names = await reader.names();
      if (isEnded || isSame(names, known)) return;
      known = names;
      onNames(names);
    } catch {
      // Asked again at the next turn.
    } finally {
      isReading = false;
    }
  };
  const timer = setInterval(look, everyMs).unref();
  void look();
  return {
    tell: () => {
      if (known !== NO_SERVICE_NAMES) onNames(known);
    },
    end: () => {
      isEnded = true;
      clearInterval(timer);
    },
  };
}

function isSame(a: ServiceNames, b: ServiceNames): boolean {
  return isSameMap(a.byModid, b.byModid) && isSameMap(a.byCmdid, b.byCmdid);
}

function isSameMap(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([number, name]) => b.get(number) === name);
}
