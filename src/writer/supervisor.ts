import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../model/backoff.js';
import type { WriterState } from '../model/status.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';

export interface SupervisionLimits {
  /** Restarts of one writer within `periodMs` after which it counts as failing. */
  readonly maxRestarts: number;
  readonly periodMs: number;
  /** Pause before the first restart; doubles with each further one of the period. */
  readonly backoffMs: number;
  /** Longest pause; also the pace at which a failing writer is tried again. */
  readonly maxBackoffMs: number;
}

/** What the supervisor knows of one writer. */
export interface Supervised {
  readonly state: WriterState;
  /** Since the reporter started. */
  readonly restarts: number;
  /** What it last crashed with. */
  readonly lastCrash: string | undefined;
}

/**
 * How often a writer may crash. Within the budget restarts follow with a growing pause; beyond it they go on, for
 * a stopped writer would lose what is sent to it, at the longest pause until a whole period was quiet enough.
 */
export class RestartBudget {
  readonly #limits: SupervisionLimits;
  readonly #random: () => number;
  #crashes: number[] = [];

  constructor(limits: SupervisionLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** Records a crash at `nowMs` and returns the pause before the restart, in milliseconds. */
  crashed(nowMs: number): number {
    const { backoffMs: firstMs, maxBackoffMs: lastMs, maxRestarts } = this.#limits;
    this.#crashes.push(nowMs);
    const crashes = this.#recent(nowMs);
    if (crashes > maxRestarts) return lastMs;
    return backoffMs(crashes, { firstMs, lastMs }, this.#random);
  }

  /** Whether more crashes than allowed lie within the period that ends at `nowMs`. */
  exhausted(nowMs: number): boolean {
    return this.#recent(nowMs) > this.#limits.maxRestarts;
  }

  #recent(nowMs: number): number {
    // One more than allowed is all that has to be remembered, however long a writer fails.
    this.#crashes = this.#crashes
      .filter((at) => at > nowMs - this.#limits.periodMs)
      .slice(-(this.#limits.maxRestarts + 1));
    return this.#crashes.length;
  }
}

export interface SupervisorOptions {
  readonly writers: number;
  readonly limits: SupervisionLimits;
  readonly onCrash: (partition: number, error: Error, pauseMs: number, exhausted: boolean) => void;
  readonly onRestart: (partition: number) => void;
}

interface Record {
  state: Exclude<WriterState, 'failing'>;
  restarts: number;
  lastCrash: string | undefined;
  /** It has had its state at least once. */
  hasRecovered: boolean;
  readonly budget: RestartBudget;
}

/** The parent of the writers: decides when a crashed one comes back, and knows how each is. */
export class Supervisor {
  /** The actor the writers live under. It takes no messages. */
  readonly ref: ActorRef<never>;
  readonly #options: SupervisorOptions;
  readonly #records: readonly Record[];
  readonly #stopping = new AbortController();

  constructor(parent: ParentRef, options: SupervisorOptions) {
    this.#options = options;
    this.#records = Array.from({ length: options.writers }, () => ({
      state: 'recovering' as const,
      restarts: 0,
      lastCrash: undefined,
      hasRecovered: false,
      budget: new RestartBudget(options.limits),
    }));
    this.ref = spawn<never>(parent, {
      name: 'supervisor',
      receive: () => {},
      onCrash: () => 'resume',
    });
  }

  /** How the writer is now. */
  writer(partition: number): Supervised {
    const { state, restarts, lastCrash, budget } = this.#records[partition]!;
    return { state: budget.exhausted(performance.now()) ? 'failing' : state, restarts, lastCrash };
  }

  /** A writer has crashed and settled what it had under way. Resolves when it is to be rebuilt. */
  async crashed(partition: number, error: Error): Promise<void> {
    const record = this.#records[partition]!;
    const pauseMs = record.budget.crashed(performance.now());
    record.state = 'restarting';
    record.lastCrash = error.message;
    this.#options.onCrash(partition, error, pauseMs, record.budget.exhausted(performance.now()));
    await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    record.restarts++;
    record.state = 'recovering';
  }

  /** A writer has its state and goes on. */
  recovered(partition: number): void {
    const record = this.#records[partition]!;
    record.state = 'running';
    record.hasRecovered = true;
    if (record.restarts > 0) this.#options.onRestart(partition);
  }

  /** Whether every writer has replayed its journal since the start. */
  get allRecovered(): boolean {
    return this.#records.every(({ hasRecovered }) => hasRecovered);
  }

  /** Ends all pauses; the writers are about to be stopped. */
  stop(): void {
    this.#stopping.abort();
  }
}
