import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BackoffLimits, backoffMs } from '../model/backoff.js';
import { StoreError, type StoreErrorClass } from '../model/errors.js';
import type { Chunk, Pass, PendingRows } from '../pending/pending.js';
import type { StoreWriter } from '../store/store.js';
import type { WriterStep } from './steps.js';

/** Statements aim at taking less than this; slower ones make the next chunk smaller. */
const TARGET_MS = 200;
/** Chunks the store has confirmed but no checkpoint names yet, at most: beyond, flushing waits for the journal. */
const MAX_UNCHECKED = 4;
/** Longest time ordering a pass keeps the event loop. */
const MAX_TURN_MS = 8;
const FEWEST_ROWS = 16;

const QUICK: BackoffLimits = { firstMs: 50, lastMs: 2000 };
const SLOW: BackoffLimits = { firstMs: 500, lastMs: 10_000 };
const PAUSES: Record<StoreErrorClass, BackoffLimits> = {
  retry: QUICK,
  'too-large': { firstMs: 1, lastMs: 50 },
  poison: SLOW,
  'retry-slowly': SLOW,
  configuration: SLOW,
};

export interface FlushLoopOptions {
  readonly pending: PendingRows;
  readonly store: StoreWriter;
  /** Rows in one statement, at most. */
  readonly maxRows: number;
  /** Fault injection: may throw, which ends the loop through `onCrash`. */
  readonly atStep: (step: WriterStep) => void;
  /** The store holds the chunk. To be answered by `checked` when a checkpoint says so. */
  readonly onFlushed: (chunk: Chunk, seconds: number) => void;
  /** A chunk failed and its rows wait again; `replaced` values of it will never be sent, newer ones will. */
  readonly onReleased: (replaced: number) => void;
  /** The store failed (again), or took rows after it had failed: then undefined. */
  readonly onStoreState: (error: StoreError | undefined) => void;
  /** The loop has ended for a reason that is not the store's. */
  readonly onCrash: (error: Error) => void;
}

/**
 * Sends pending rows to the store as long as there are any: in passes in primary-key order, one statement in
 * flight, no timer in between. Ends with `stop`, never by itself: a store that fails is tried again for ever.
 */
export class FlushLoop {
  readonly #options: FlushLoopOptions;
  readonly #ended: Promise<void>;
  #stopped = false;
  #rows: number;
  #unchecked = 0;
  #pass: Pass | undefined;
  #failures = 0;
  #signalled = false;
  #wake: (() => void) | undefined;

  constructor(options: FlushLoopOptions) {
    this.#options = options;
    this.#rows = options.maxRows;
    this.#ended = this.#run();
  }

  /** There may be rows to send, or a checkpoint was made. */
  wake(): void {
    this.#signalled = true;
    this.#wake?.();
  }

  /** `chunks` confirmed chunks are in the journal's checkpoints now. */
  checked(chunks: number): void {
    this.#unchecked -= chunks;
    this.wake();
  }

  /** Ends the loop. Resolves when no statement is in flight any more, which the store bounds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#ended;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        this.#signalled = false;
        const chunk = this.#unchecked < MAX_UNCHECKED ? await this.#nextChunk() : undefined;
        if (chunk) await this.#send(chunk);
        // What came while the last turn looked is looked at again.
        else if (!this.#signalled) await this.#sleep();
      }
    } catch (error) {
      this.#options.onCrash(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #nextChunk(): Promise<Chunk | undefined> {
    const chunk = this.#pass?.next(this.#rows);
    if (chunk) return chunk;
    this.#pass = undefined;
    if (this.#options.pending.waiting === 0) return undefined;
    const pass = this.#options.pending.pass();
    let began = performance.now();
    while (!pass.order()) {
      if (performance.now() - began < MAX_TURN_MS) continue;
      await nextTurn();
      began = performance.now();
      if (this.#stopped) return undefined;
    }
    this.#pass = pass;
    return pass.next(this.#rows);
  }

  async #send(first: Chunk): Promise<void> {
    const { pending, store } = this.#options;
    let chunk = first;
    for (;;) {
      this.#options.atStep('flush');
      const began = performance.now();
      try {
        await store.upsert(chunk.rows);
      } catch (error) {
        const failure = asStoreError(error);
        this.#options.onReleased(pending.release(chunk));
        this.#failures++;
        this.#shrink(failure);
        this.#options.onStoreState(failure);
        await this.#sleep(backoffMs(this.#failures, PAUSES[failure.class]));
        if (this.#stopped) return;
        // The same keys again, so that the order of the pass is kept, with the values of now.
        chunk = pending.take(chunk.slots.subarray(0, this.#rows))!;
        continue;
      }
      const elapsedMs = performance.now() - began;
      if (this.#failures > 0) this.#options.onStoreState(undefined);
      this.#failures = 0;
      this.#adapt(chunk.rows.length, elapsedMs);
      this.#unchecked++;
      this.#options.atStep('flushed');
      this.#options.onFlushed(chunk, elapsedMs / 1000);
      return;
    }
  }

  /** Chunks follow the store's speed: halved when a statement takes long, doubled when full ones are quick. */
  #adapt(rows: number, elapsedMs: number): void {
    if (elapsedMs > TARGET_MS) this.#rows = Math.max(FEWEST_ROWS, Math.ceil(rows / 2));
    else if (rows >= this.#rows && elapsedMs < TARGET_MS / 2) {
      this.#rows = Math.min(this.#options.maxRows, this.#rows * 2);
    }
  }

  #shrink(failure: StoreError): void {
    if (failure.class === 'too-large') this.#rows = Math.max(1, Math.floor(this.#rows / 2));
  }

  /** Until `wake`, or until `forMs` have passed; with `forMs` only `stop` wakes earlier. */
  #sleep(forMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
      this.#wake = () => {
        if (timer && !this.#stopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Stores of other authors may reject with anything; it is taken for a failure that a person should look at. */
function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError('retry-slowly', 'UNKNOWN', message, { cause: error, maybeApplied: true });
}
