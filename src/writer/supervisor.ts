import { setTimeout as sleep } from 'node:timers/promises';
import type { WriterState } from '../model/status.js';
import type { EventSink } from '../observe/events.js';
import { type ActorRef, type ParentRef, spawn } from '../runtime/actors.js';
import { RestartBudget, type SupervisionLimits } from './restarts.js';

/** Crashes of a writer that has never had its state, none of which was of any use; a record is put aside after three. */
const MAX_FRUITLESS = 10;

/** What the supervisor knows of one writer. */
export interface Supervised {
  readonly state: WriterState;
  /** Since the reporter started. */
  readonly restarts: number;
  /** What it last crashed with. */
  readonly lastCrash: string | undefined;
}

export interface SupervisorOptions {
  readonly writers: number;
  readonly limits: SupervisionLimits;
  readonly events: EventSink;
}

interface Record {
  state: Exclude<WriterState, 'failing'>;
  restarts: number;
  lastCrash: string | undefined;
  /** It has had its state at least once. */
  hasRecovered: boolean;
  /** Crashes since a record was put aside. */
  fruitless: number;
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
      fruitless: 0,
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

  /**
   * A writer has crashed and settled what it had under way; `hasPutAside`: the record that crashed it stands in its way
   * no more. Resolves when it is to be rebuilt.
   */
  async crashed(partition: number, error: Error, hasPutAside = false): Promise<void> {
    const record = this.#records[partition]!;
    record.fruitless = hasPutAside ? 0 : record.fruitless + 1;
    const pauseMs = record.budget.crashed(performance.now());
    record.state = 'restarting';
    record.lastCrash = error.message;
    const isFailing = record.budget.exhausted(performance.now());
    this.#options.events.emit({ type: 'writer-crashed', partition, error, pauseMs, isFailing });
    await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    record.restarts++;
    record.state = 'recovering';
  }

  /** A writer has its state and goes on. */
  recovered(partition: number): void {
    const record = this.#records[partition]!;
    record.state = 'running';
    record.hasRecovered = true;
    this.#options.events.emit({ type: 'writer-recovered', partition, restarts: record.restarts });
  }

  /** Whether every writer has replayed its journal since the start. */
  get allRecovered(): boolean {
    return this.#records.every(({ hasRecovered }) => hasRecovered);
  }

  /** A writer that has never had its state, whatever was tried; undefined while there is hope for all. */
  get hopeless(): number | undefined {
    const partition = this.#records.findIndex(
      ({ hasRecovered, fruitless }) => !hasRecovered && fruitless >= MAX_FRUITLESS,
    );
    return partition < 0 ? undefined : partition;
  }

  /** Ends all pauses; the writers are about to be stopped. */
  stop(): void {
    this.#stopping.abort();
  }
}
