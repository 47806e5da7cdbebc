/** A connection as the budget sees it. */
export interface Reader {
  /** Reads no more until `unpark`. */
  park(): void;
  unpark(): void;
}

/** Asked for each time: it may change. */
export interface BudgetLimits {
  readonly maxInflightBytes: number;
}

/**
 * Bounds the bytes that were read from all sockets and are not journaled yet. Each connection waits for its own
 * credit anyway; when together they hold more than the limit, all stop reading, until half of it is journaled.
 * One chunk (64 KiB) over the limit is the most there can be: parking takes effect in the turn that crosses it.
 */
export class InflightBudget {
  readonly #limits: BudgetLimits;
  readonly #readers: Iterable<Reader>;
  #bytes = 0;
  #parked = false;
  /** Nobody reads, however little is out. */
  #isHeld = false;

  /** `readers`: all connections, asked anew each time. */
  constructor(limits: BudgetLimits, readers: Iterable<Reader>) {
    this.#limits = limits;
    this.#readers = readers;
  }

  /** Bytes read and not journaled. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nobody may read now. */
  get parked(): boolean {
    return this.#parked;
  }

  /** Nobody reads from now on, until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#park();
  }

  release(): void {
    this.#isHeld = false;
    this.journaled(0);
  }

  read(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#parked && this.#bytes > this.#limits.maxInflightBytes) this.#park();
  }

  journaled(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#parked || this.#isHeld || this.#bytes > this.#limits.maxInflightBytes / 2) return;
    this.#parked = false;
    for (const reader of this.#readers) reader.unpark();
  }

  #park(): void {
    this.#parked = true;
    for (const reader of this.#readers) reader.park();
  }
}
