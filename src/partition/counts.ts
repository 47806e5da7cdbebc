import type { Ledger } from '../model/status.js';

/** The running counts of one writer, or of what is refused before any writer. */
export class Counts {
  received = 0;
  recovered = 0;
  upserted = 0;
  coalesced = 0;
  rejected = 0;
  deadLettered = 0;

  /** These counts as a ledger, with what is held at this moment. */
  ledger(pending: number): Ledger {
    return balance({ ...this, pending });
  }
}

/** Adds ledgers up. */
export function totalLedger(ledgers: readonly Ledger[]): Ledger {
  const total = new Counts();
  let pending = 0;
  for (const ledger of ledgers) {
    total.received += ledger.received;
    total.recovered += ledger.recovered;
    total.upserted += ledger.upserted;
    total.coalesced += ledger.coalesced;
    total.rejected += ledger.rejected;
    total.deadLettered += ledger.deadLettered;
    pending += ledger.pending;
  }
  return total.ledger(pending);
}

function balance(counts: Omit<Ledger, 'balanced'>): Ledger {
  const taken = counts.received + counts.recovered;
  const given = counts.upserted + counts.coalesced + counts.rejected + counts.deadLettered + counts.pending;
  return { ...counts, balanced: taken === given };
}
