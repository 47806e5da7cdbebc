import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../../src/index.js';
import { LedgerChecker } from '../../src/testing/index.js';
import type { Admin } from './admin.js';
import type { History } from './history.js';
import type { Service } from './service.js';
import type { Timeline } from './timeline.js';

const LEDGER_EVERY_MS = 20;
const STATUS_EVERY_MS = 50;
/** A process that runs and does not answer for so long is stuck, on a busy machine, too. */
const STUCK_MS = 60_000;

export type Totals = Readonly<
  Record<'received' | 'recovered' | 'upserted' | 'coalesced' | 'deadLettered', number>
>;

const COUNTS = ['received', 'recovered', 'upserted', 'coalesced', 'deadLettered'] as const;

export interface WatchOptions {
  readonly service: Service;
  readonly admin: Admin;
  readonly histories: readonly History[];
  readonly timeline: Timeline;
}

/** Looks at the running reporter all the time: its ledger, that it answers, and what is journaled. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #ledgers: LedgerChecker;
  readonly #watching: Promise<void>;
  /** Newest ledger of the present process, and what those before it came to. */
  #latest: { readonly incarnation: number; readonly ledger: Ledger } | undefined;
  #before: Record<string, number> = {};
  #reported = 0;
  #stopped = false;
  /** Highest age of the oldest unsaved report, in seconds. */
  oldestSeconds = 0;
  /** How often a writer was found to hold as many keys as it may, so that agents waited. */
  full = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#ledgers = new LedgerChecker(() => this.#ledger(), LEDGER_EVERY_MS);
    this.#watching = this.#watch();
  }

  /** Ledgers that were looked at. */
  get samples(): number {
    return this.#ledgers.samples;
  }

  /** Counts over all processes. What one counted between its last sample and its end by a kill is not among them. */
  get totals(): Totals {
    const counts = COUNTS.map((count) => [
      count,
      (this.#before[count] ?? 0) + (this.#latest?.ledger[count] ?? 0),
    ]);
    return Object.fromEntries(counts) as Totals;
  }

  get pending(): number {
    return this.#latest?.ledger.pending ?? 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ledgers.stop();
    await this.#watching;
    this.#report();
    if (this.samples === 0) this.#options.timeline.violation('no ledger was ever read');
  }

  async #ledger(): Promise<Ledger> {
    const { service, admin, timeline } = this.#options;
    const { incarnation } = service;
    const ledger = await admin.ledger();
    // The question went to one process, the answer could be of the next.
    if (service.incarnation !== incarnation || service.isChanging) return ledger;
    const previous = this.#latest;
    if (previous && previous.incarnation !== incarnation) {
      for (const count of COUNTS) this.#before[count] = (this.#before[count] ?? 0) + previous.ledger[count];
    } else if (previous) {
      for (const count of COUNTS)
        if (ledger[count] < previous.ledger[count])
          timeline.violation(`${count} went from ${previous.ledger[count]} to ${ledger[count]}`);
    }
    this.#latest = { incarnation, ledger };
    for (const [partition, writer] of ledger.writers.entries())
      if (!isBalanced(writer))
        timeline.violation(`unbalanced in writer ${partition}: ${JSON.stringify(writer)}`);
    return ledger;
  }

  async #watch(): Promise<void> {
    const { service, timeline } = this.#options;
    let answeredMs = performance.now();
    while (!this.#stopped) {
      const isAnswer = await this.#ask().catch(() => false);
      const isIdle = service.state !== 'up';
      if (isAnswer || isIdle) answeredMs = performance.now();
      if (performance.now() - answeredMs > STUCK_MS) {
        timeline.violation(`the reporter has not answered for ${STUCK_MS / 1000} s`);
        return;
      }
      this.#report();
      await sleep(STATUS_EVERY_MS);
    }
  }

  async #ask(): Promise<boolean> {
    const { service, admin, histories } = this.#options;
    const { incarnation } = service;
    const asked = histories.map((history) => history.question());
    const { state, inflightBytes, writers, quarantined, view } = await admin.status();
    if (service.incarnation !== incarnation) return true;
    if (state === 'running' && inflightBytes === 0)
      for (const [index, history] of histories.entries()) history.allJournaled(asked[index]!, incarnation);
    for (const { oldestPendingSeconds, full } of writers) {
      this.oldestSeconds = Math.max(this.oldestSeconds, oldestPendingSeconds);
      if (full) this.full++;
    }
    if (quarantined > 0) this.#options.timeline.violation(`${quarantined} journal records are in quarantine`);
    const mismatches = view.counts?.mismatches ?? 0;
    if (mismatches > 0) this.#options.timeline.violation(`${mismatches} counters of the view were wrong`);
    return true;
  }

  #report(): void {
    const { unbalanced } = this.#ledgers;
    for (const ledger of unbalanced.slice(this.#reported))
      this.#options.timeline.violation(`unbalanced: ${JSON.stringify(ledger)}`);
    this.#reported = unbalanced.length;
  }
}

function isBalanced({
  received,
  recovered,
  upserted,
  coalesced,
  rejected,
  deadLettered,
  pending,
}: Ledger): boolean {
  return received + recovered === upserted + coalesced + rejected + deadLettered + pending;
}
