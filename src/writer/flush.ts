import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BackoffLimits, backoffMs } from '../model/backoff.js';
import { StoreError, type StoreErrorClass } from '../model/errors.js';
import type { RowBatch } from '../model/row.js';
import type { StoreHealth } from '../observe/store-health.js';
import type { Chunk, Pass, PendingRows } from '../partition/pending.js';
import type { StoreWriter } from '../store/contract.js';
import type { WriterStep } from './steps.js';

/** Statements aim at taking less than this; slower ones make the next chunk smaller. */
const TARGET_MS = 200;
/** Chunks the store has confirmed but no checkpoint names yet, at most: beyond, flushing waits for the journal. */
export const MAX_UNCHECKED = 4;
/** Longest time ordering a pass keeps the event loop. */
const MAX_TURN_MS = 8;
const FEWEST_ROWS = 16;
/** Failures in a row for an unknown reason after which one row may be to blame. */
const SINGLE_OUT_AFTER = 3;
/** Rows that fail alone, none being stored, beyond which it is clear that the store is to blame. */
const SUSPECTS_WITHOUT_SUCCESS = 1;
/** Rows of one chunk that fail alone for an unknown reason, beyond which it is no longer their fault. */
const MAX_SUSPECTS = 10;

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
  /** The store refuses this one row for what it holds, and takes others. To be answered by `checked`, too. */
  readonly onRefused: (chunk: Chunk, error: StoreError) => void;
  /** A chunk failed and its rows wait again; `replaced` values of it will never be sent, newer ones will. */
  readonly onReleased: (replaced: number) => void;
  /** How the store is; not told of rows it refuses. */
  readonly health: StoreHealth;
  /** A statement failed. */
  readonly onFailure: (rows: number, error: StoreError) => void;
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

  /** `chunks` confirmed chunks are in the journal's checkpoints now. To be followed by `wake`. */
  checked(chunks: number): void {
    this.#unchecked -= chunks;
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

  /** Sends a chunk until the store has all of it but what it refuses, or until others should have their turn. */
  async #send(first: Chunk): Promise<void> {
    let chunk: Chunk | undefined = first;
    while (chunk) {
      const failure = await this.#attempt(chunk);
      if (!failure) return;
      const { slots } = chunk;
      this.#release(chunk, failure);
      if (this.#maySingleOut(failure, slots.length) && (await this.#singleOut(slots))) return;
      if (this.#stopped) return;
      await this.#sleep(backoffMs(this.#failures, PAUSES[failure.class]));
      if (this.#stopped) return;
      if (failure.class !== 'retry' && failure.class !== 'too-large') {
        // What came meanwhile goes along next time: should one row be to blame, it holds up no other.
        this.#pass = undefined;
        return;
      }
      // The same keys again, so that the order of the pass is kept, with the values of now.
      chunk = this.#options.pending.take(slots.subarray(0, this.#rows));
    }
  }

  /** One statement. Undefined when the store has the rows; otherwise they are in flight still. */
  async #attempt(chunk: Chunk): Promise<StoreError | undefined> {
    this.#options.atStep('flush');
    const began = performance.now();
    try {
      await this.#options.store.upsert(chunk.rows);
    } catch (error) {
      const failure = asStoreError(error);
      this.#options.onFailure(chunk.rows.length, failure);
      return failure;
    }
    const elapsedMs = performance.now() - began;
    this.#options.health.ok();
    this.#failures = 0;
    this.#adapt(chunk.rows.length, elapsedMs);
    this.#unchecked++;
    this.#options.pending.settled(chunk);
    this.#options.atStep('flushed');
    this.#options.onFlushed(chunk, elapsedMs / 1000);
    return undefined;
  }

  #release(chunk: Chunk, failure: StoreError): void {
    this.#options.onReleased(this.#options.pending.release(chunk));
    if (failure.class === 'poison') return;
    this.#failures++;
    if (failure.class === 'too-large') this.#rows = Math.max(1, Math.floor(this.#rows / 2));
    this.#options.health.failed(failure);
  }

  /** Whether one row may be to blame: the store says so, it is too large alone, or nobody knows and it comes back. */
  #maySingleOut(failure: StoreError, rows: number): boolean {
    if (failure.class === 'poison') return true;
    if (failure.class === 'too-large') return rows === 1;
    return failure.mayBeOneRow && this.#failures >= SINGLE_OUT_AFTER;
  }

  /**
   * Halves the rows down to those the store refuses, and stores the others. A row is refused when the store says
   * that it is to blame, or, for an unknown reason, when it fails alone twice and a row that the store has taken
   * before is taken again right after. Otherwise the store is to blame, and all rows wait again. Returns whether
   * every row is stored or refused.
   */
  async #singleOut(slots: Int32Array): Promise<boolean> {
    const { pending } = this.#options;
    const parts = slots.length === 1 ? [slots] : halves(slots);
    const suspects: Chunk[] = [];
    let control: RowBatch | undefined;
    let isStoreToBlame = false;
    while (parts.length > 0 && !isStoreToBlame && !this.#stopped) {
      const chunk = pending.take(parts.pop()!);
      if (!chunk) continue;
      const failure = await this.#attempt(chunk);
      if (!failure) {
        control = chunk.rows.slice(0, 1);
      } else if (chunk.slots.length === 1 && isRefusal(failure)) {
        this.#refuse(chunk, failure);
      } else if (chunk.slots.length === 1 && failure.mayBeOneRow) {
        suspects.push(chunk);
        isStoreToBlame = suspects.length > (control ? MAX_SUSPECTS : SUSPECTS_WITHOUT_SUCCESS);
      } else {
        this.#options.onReleased(pending.release(chunk));
        isStoreToBlame = !isRefusal(failure) && !failure.mayBeOneRow;
        if (!isStoreToBlame) parts.push(...halves(chunk.slots));
      }
    }
    isStoreToBlame ||= control === undefined && suspects.length > 0;
    for (const suspect of suspects) {
      const refusal =
        isStoreToBlame || this.#stopped || !control ? undefined : await this.#convict(suspect, control);
      if (refusal === 'stored') continue;
      if (refusal) this.#refuse(suspect, refusal);
      else this.#options.onReleased(pending.release(suspect));
      isStoreToBlame ||= refusal === undefined;
    }
    return !isStoreToBlame;
  }

  /** Tries a suspect once more, and then a row that is known to be good. Undefined: the store takes neither. */
  async #convict(suspect: Chunk, control: RowBatch): Promise<StoreError | 'stored' | undefined> {
    const failure = await this.#attempt(suspect);
    if (!failure) return 'stored';
    try {
      // The value the store has already, unless somebody else wrote it: one flush is in flight, and it is this one.
      await this.#options.store.upsert(control);
    } catch {
      return undefined;
    }
    return failure;
  }

  #refuse(chunk: Chunk, failure: StoreError): void {
    this.#unchecked++;
    this.#options.pending.settled(chunk);
    this.#options.onRefused(chunk, failure);
  }

  /** Chunks follow the store's speed: halved when a statement takes long, doubled when full ones are quick. */
  #adapt(rows: number, elapsedMs: number): void {
    if (elapsedMs > TARGET_MS) this.#rows = Math.max(FEWEST_ROWS, Math.ceil(rows / 2));
    else if (rows >= this.#rows && elapsedMs < TARGET_MS / 2) {
      this.#rows = Math.min(this.#options.maxRows, this.#rows * 2);
    }
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

/** Whether the store says that a row is to blame; a row that is too large alone is, too. */
function isRefusal(failure: StoreError): boolean {
  return failure.class === 'poison' || failure.class === 'too-large';
}

/** Both halves of some slots, the first one last: they are taken from the end. */
function halves(slots: Int32Array): Int32Array[] {
  const middle = slots.length >>> 1;
  return [slots.subarray(middle), slots.subarray(0, middle)];
}

/** Stores of other authors may reject with anything; it is taken for a failure that a person should look at. */
function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError('retry-slowly', 'UNKNOWN', message, {
    cause: error,
    maybeApplied: true,
    mayBeOneRow: true,
  });
}
