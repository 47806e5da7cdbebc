import type { Ledger } from '../model/status.js';

/** Ledgers that are kept of those that did not balance. */
const KEPT = 100;

/**
 * Looks at a ledger again and again, and keeps those that do not balance. It adds up by itself; `balanced` is only
 * one more thing that must be true.
 *
 *     const ledgers = new LedgerChecker(() => reporter.ledger());
 *     // … load and faults …
 *     await ledgers.stop();
 *     ledgers.verify();
 *
 * Of another process: `new LedgerChecker(async () => (await fetch(`${admin}/api/ledger`)).json())`. A read that
 * fails is no sample; `samples` counts them.
 */
export class LedgerChecker {
  readonly #read: () => Ledger | Promise<Ledger>;
  readonly #everyMs: number;
  readonly #unbalanced: Ledger[] = [];
  #samples = 0;
  #found = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> = Promise.resolve();

  /** Takes a sample now, and one `everyMs` milliseconds (3 unless given) after each, until `stop`. */
  constructor(read: () => Ledger | Promise<Ledger>, everyMs = 3) {
    this.#read = read;
    this.#everyMs = everyMs;
    this.#next();
  }

  /** Samples taken. */
  get samples(): number {
    return this.#samples;
  }

  /** Ledgers that did not balance, the first hundred of them. */
  get unbalanced(): readonly Ledger[] {
    return this.#unbalanced;
  }

  /** Takes a sample besides, now. */
  async sample(): Promise<void> {
    let ledger: Ledger;
    try {
      ledger = await this.#read();
    } catch {
      // Whoever is asked may be down at the moment.
      return;
    }
    this.#samples++;
    if (isBalanced(ledger)) return;
    this.#found++;
    if (this.#unbalanced.length < KEPT) this.#unbalanced.push(ledger);
  }

  /** Ends the sampling; resolves when a sample under way was taken. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sampling;
  }

  /** Throws an Error that names the first ledger that did not balance, or that no ledger was ever read. */
  verify(): void {
    if (this.#found > 0) {
      const first = JSON.stringify(this.#unbalanced[0]);
      throw new Error(`${this.#found} of ${this.#samples} ledgers did not balance, first ${first}`);
    }
    if (this.#samples === 0) throw new Error('no ledger was read');
  }

  #next(): void {
    this.#sampling = this.sample().then(() => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.#next(), this.#everyMs);
      // Whoever forgets to stop it is not held up by it.
      this.#timer.unref();
    });
  }
}

function isBalanced(ledger: Ledger): boolean {
  const { received, recovered, upserted, coalesced, rejected, deadLettered, pending, balanced } = ledger;
  return balanced && received + recovered === upserted + coalesced + rejected + deadLettered + pending;
}
