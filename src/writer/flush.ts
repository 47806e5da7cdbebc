import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BackoffLimits, backoffMs } from '../model/backoff.js';
import { StoreError, type StoreErrorClass } from '../model/errors.js';
import type { RowBatch } from '../model/row.js';
import type { StoreHealth } from '../observe/store-health.js';
import type { Chunk } from '../partition/chunk.js';
import type { Pass } from '../partition/pass.js';
import type { PendingRows } from '../partition/pending.js';
import type { StoreWriter } from '../store/contract.js';
import { ControlRow } from './control-row.js';
import { fewer, separateRefused, separateSlow, type Trial } from './culprit.js';
import type { WriterStep } from './steps.js';

/** Statements aim at taking less than this; slower ones make the next chunk smaller. */
const TARGET_MS = 200;
/** Chunks the store has confirmed but no checkpoint names yet, at most: beyond, flushing waits for the journal. */
const MAX_UNCHECKED = 32;
/** Their rows, in statements of the largest size. */
const MAX_UNCHECKED_STATEMENTS = 4;
/**
 * Rests end in steps of so many milliseconds, unless there is a statement to go along with: a few rows a statement
 * would cost more than they are worth.
 */
const REST_STEP_MS = 50;
/** Longest time ordering a pass keeps the event loop. */
const MAX_TURN_MS = 8;
const FEWEST_ROWS = 16;
/** Failures in a row for an unknown reason after which one row may be to blame. */
const SINGLE_OUT_AFTER = 3;
/** Rows that took too long are tried again after this, then after twice as long, and so on. */
const ASIDE: BackoffLimits = { firstMs: 2000, lastMs: 60_000 };
/** Of the time, trying all of them again takes one part in so many: others are to be stored meanwhile. */
const ASIDE_SHARE = 4;

/** Rows that are tried alone, to know whether the store is to blame for a statement that took too long. */
const SAMPLES = 3;
/** Where all of a statement's rows had to be looked at, the next one has so many times more. */
const MORE = 4;

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
  readonly onFailure: (chunk: Chunk, error: StoreError, seconds: number) => void;
  /** These rows take longer than a statement may, others do not; they are tried again after `pauseMs`. */
  readonly onSetAside: (rows: RowBatch, error: StoreError, pauseMs: number) => void;
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
  #uncheckedRows = 0;
  #pass: Pass | undefined;
  #failures = 0;
  readonly #control = new ControlRow();
  #aside: Aside[] = [];
  /** On the clock of `performance.now()`: none of them is tried again before. */
  #asideFromMs = 0;
  #signalled = false;
  /** The store may take rows again: the pause after a failure is over. */
  #isHurried = false;
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

  /** The store takes rows of others again: what failed is tried now. */
  hurry(): void {
    this.#isHurried = true;
    this.#wake?.();
  }

  /** Chunks that were stored or refused are in the journal's checkpoints now. To be followed by `wake`. */
  checked(chunks: readonly Chunk[]): void {
    this.#unchecked -= chunks.length;
    for (const { rows } of chunks) this.#uncheckedRows -= rows.length;
  }

  /** Whether flushing waits for a checkpoint. */
  get #isFree(): boolean {
    return (
      this.#unchecked < MAX_UNCHECKED &&
      this.#uncheckedRows < MAX_UNCHECKED_STATEMENTS * this.#options.maxRows
    );
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
        const isFree = this.#isFree;
        if (isFree) await this.#retryAside();
        const chunk = isFree && !this.#stopped ? await this.#nextChunk() : undefined;
        if (chunk) await this.#send(chunk);
        // What came while the last turn looked is looked at again.
        else if (!this.#signalled) await this.#sleepUntilWoken();
      }
    } catch (error) {
      this.#options.onCrash(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #nextChunk(): Promise<Chunk | undefined> {
    const { pending } = this.#options;
    const nowMs = performance.now();
    const chunk = this.#pass?.next(this.#rows);
    if (chunk) {
      // A pass may run for long: what it has stored is not remembered until its end.
      pending.endRests(nowMs);
      return chunk;
    }
    this.#pass = undefined;
    if (pending.waiting > 0 || this.#restsEndMs <= nowMs) pending.endRests(nowMs);
    if (pending.waiting === 0) return undefined;
    const pass = pending.pass();
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
      if (failure.tooSlow) {
        if (await this.#separateSlow(slots)) return;
        // The quickest way to a success, or to know that not even one row fits.
        this.#rows = 1;
      }
      if (this.#maySingleOut(failure, slots.length) && (await separateRefused(slots, this.#trial()))) return;
      if (this.#stopped) return;
      await this.#sleep(backoffMs(this.#failures, PAUSES[failure.class]));
      // On with the pass: what comes behind may fit.
      if (this.#stopped || failure.tooSlow) return;
      if (failure.class !== 'retry' && failure.class !== 'too-large') {
        // What came meanwhile goes along next time: should one row be to blame, it holds up no other.
        this.#pass = undefined;
        return;
      }
      // The same keys again, so that the order of the pass is kept, with the values of now.
      chunk = this.#options.pending.take(slots.subarray(0, this.#rows));
    }
  }

  /** As `separateSlow`. Rows beside ones that were set aside may be locked, too: it goes on with more at a time. */
  async #separateSlow(slots: Int32Array): Promise<boolean> {
    const before = this.#aside.length;
    const isStoring = await this.#storesAny();
    const isStored = await separateSlow(slots, this.#trial(), { isStoring });
    if (isStored && this.#aside.length > before)
      this.#rows = Math.min(this.#options.maxRows, Math.max(this.#rows, MORE * slots.length));
    return isStored;
  }

  /**
   * Whether the store takes rows now: some are tried from anywhere, since rows that are locked may stand side by side.
   * When hardly any others wait, it is asked for one that it has.
   */
  async #storesAny(): Promise<boolean> {
    const { pending, onReleased } = this.#options;
    for (let tried = 0; tried < SAMPLES && pending.waiting > 1 && !this.#stopped; tried++) {
      const chunk = pending.take(pending.waitingSlot(Math.floor(Math.random() * pending.slotEnd)));
      const failure = chunk && (await this.#attempt(chunk));
      if (!failure) return chunk !== undefined;
      onReleased(pending.release(chunk));
      if (!failure.tooSlow) return false;
    }
    const control = this.#stopped ? undefined : this.#control.find(pending);
    if (!control || !(await this.#isTaken(control))) return false;
    this.#options.health.ok();
    this.#failures = 0;
    return true;
  }

  /** The value the store has already, unless somebody else wrote it: one flush is in flight, and it is this one. */
  #isTaken(rows: RowBatch): Promise<boolean> {
    return this.#options.store.upsert(rows).then(
      () => true,
      () => false,
    );
  }

  /** One statement. Undefined when the store has the rows; otherwise they are in flight still. */
  async #attempt(chunk: Chunk): Promise<StoreError | undefined> {
    this.#options.atStep('flush');
    const began = performance.now();
    try {
      await this.#options.store.upsert(chunk.rows);
    } catch (error) {
      const failure = asStoreError(error);
      this.#options.onFailure(chunk, failure, (performance.now() - began) / 1000);
      return failure;
    }
    const elapsedMs = performance.now() - began;
    this.#options.health.ok();
    this.#failures = 0;
    this.#adapt(chunk.rows.length, elapsedMs);
    this.#hasSettled(chunk);
    this.#control.taken(chunk.rows);
    this.#options.pending.stored(chunk, performance.now());
    this.#options.atStep('flushed');
    this.#options.onFlushed(chunk, elapsedMs / 1000);
    return undefined;
  }

  #release(chunk: Chunk, failure: StoreError): void {
    this.#options.onReleased(this.#options.pending.release(chunk));
    if (failure.class === 'poison') return;
    this.#failures++;
    if (failure.class === 'too-large') this.#rows = Math.max(1, Math.floor(this.#rows / 2));
    if (failure.tooSlow) this.#rows = fewer(chunk.slots.length);
    this.#options.health.failed(failure.tooSlow && chunk.slots.length === 1 ? notEvenOne(failure) : failure);
  }

  /** Whether one row may be to blame: the store says so, it is too large alone, or nobody knows and it comes back. */
  #maySingleOut(failure: StoreError, rows: number): boolean {
    if (failure.class === 'poison') return true;
    if (failure.class === 'too-large') return rows === 1;
    return failure.mayBeOneRow && this.#failures >= SINGLE_OUT_AFTER;
  }

  /** How those who separate rows try them. */
  #trial(timesTooSlow = 0): Trial {
    return {
      take: (slots) => this.#options.pending.take(slots),
      attempt: (chunk) => this.#attempt(chunk),
      isTaken: (rows) => this.#isTaken(rows),
      release: (chunk) => this.#options.onReleased(this.#options.pending.release(chunk)),
      refuse: (chunk, failure) => this.#refuse(chunk, failure),
      setAside: (chunk, failure, tookMs) => this.#setAside(chunk, failure, tookMs, timesTooSlow),
      isStopped: () => this.#stopped,
    };
  }

  #refuse(chunk: Chunk, failure: StoreError): void {
    this.#hasSettled(chunk);
    this.#options.pending.refused(chunk);
    this.#options.onRefused(chunk, failure);
  }

  #hasSettled({ rows }: Chunk): void {
    this.#unchecked++;
    this.#uncheckedRows += rows.length;
  }

  /** `earlier`: how often these rows have taken too long before, as far as each of them was tried alone. */
  #setAside(chunk: Chunk, failure: StoreError, tookMs: number, earlier: number): void {
    const { pending, onReleased, onSetAside } = this.#options;
    onReleased(pending.release(chunk));
    pending.setAside(chunk.slots);
    // Among several there are good ones, which should not wait long.
    const times = chunk.slots.length === 1 ? earlier + 1 : 1;
    const pauseMs = Math.max(backoffMs(times, ASIDE), Math.min(ASIDE.lastMs, tookMs * ASIDE_SHARE));
    this.#aside.push({ slots: chunk.slots, times, dueMs: performance.now() + pauseMs });
    onSetAside(chunk.rows, failure, Math.round(pauseMs));
  }

  /** Tries rows that were set aside again, if their time has come. */
  async #retryAside(): Promise<void> {
    const beganMs = performance.now();
    const due = this.#aside.find(({ dueMs }) => Math.max(dueMs, this.#asideFromMs) <= beganMs);
    if (!due) return;
    this.#aside = this.#aside.filter((each) => each !== due);
    this.#options.pending.takeBack(due.slots);
    await separateSlow(due.slots, this.#trial(due.times), { isStoring: true });
    const endedMs = performance.now();
    this.#asideFromMs = endedMs + (endedMs - beganMs) * (ASIDE_SHARE - 1);
  }

  /** Chunks follow the store's speed: halved when a statement takes long, doubled when full ones are quick. */
  #adapt(rows: number, elapsedMs: number): void {
    if (elapsedMs > TARGET_MS) this.#rows = Math.max(Math.min(FEWEST_ROWS, this.#rows), Math.ceil(rows / 2));
    else if (rows >= this.#rows && elapsedMs < TARGET_MS / 2) {
      this.#rows = Math.min(this.#options.maxRows, this.#rows * 2);
    }
  }

  /** Until `forMs` have passed, or `stop` or `hurry` wakes. */
  #sleep(forMs: number): Promise<void> {
    this.#isHurried = false;
    return this.#pause(forMs, () => this.#stopped || this.#isHurried);
  }

  /** Until `wake`, until rows that were set aside are to be tried again, or until rests are over. */
  #sleepUntilWoken(): Promise<void> {
    const dueMs = Math.min(this.#asideDueMs, this.#restsEndMs);
    // While statements wait for a checkpoint, only that matters.
    if (dueMs === Number.POSITIVE_INFINITY || !this.#isFree) return this.#pause(undefined, () => true);
    return this.#pause(Math.max(0, dueMs - performance.now()), () => true);
  }

  get #asideDueMs(): number {
    if (this.#aside.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.#asideFromMs, Math.min(...this.#aside.map((each) => each.dueMs)));
  }

  /** When rests are ended for their own sake. */
  get #restsEndMs(): number {
    const { restsUntilMs } = this.#options.pending;
    if (restsUntilMs === undefined) return Number.POSITIVE_INFINITY;
    return Math.ceil(restsUntilMs / REST_STEP_MS) * REST_STEP_MS;
  }

  #pause(forMs: number | undefined, mayWake: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
      this.#wake = () => {
        if (!mayWake()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Rows that took too long and are tried again later. */
interface Aside {
  readonly slots: Int32Array;
  /** How often they have. */
  readonly times: number;
  /** On the clock of `performance.now()`. */
  readonly dueMs: number;
}

/** It is the time that is too short, or the store that is too slow, for whatever row. */
function notEvenOne({ code, message, maybeApplied, cause }: StoreError): StoreError {
  return new StoreError('retry-slowly', code, `even a statement of one row takes too long: ${message}`, {
    cause,
    maybeApplied,
    tooSlow: true,
  });
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
