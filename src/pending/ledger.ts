/**
 * The conservation equation. At every moment, for each writer and in total:
 *
 *     received + recovered = upserted + coalesced + rejected + deadLettered + pending
 *
 * Rows are counted where they change hands, in the same synchronous step; `pending` is counted where rows are
 * held and never computed from the others, so the equation can be wrong, and checking it means something.
 */
export interface Ledger {
  /** Rows taken in since the process started: journaled, or refused before that. */
  readonly received: number;
  /** Rows found pending in the journal when the process started. */
  readonly recovered: number;
  /** Row values the store confirmed. */
  readonly upserted: number;
  /** Row values that a newer one of the same key replaced before the store had them. */
  readonly coalesced: number;
  /** Rows refused before they were journaled. */
  readonly rejected: number;
  /** Rows the store refused for what they hold. */
  readonly deadLettered: number;
  /** Row values held for the store now. */
  readonly pending: number;
  /** Whether the equation holds. */
  readonly balanced: boolean;
}

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
