import type { StoreError } from '../model/errors.js';
import type { RowBatch } from '../model/row.js';
import type { Chunk } from '../partition/chunk.js';

/**
 * Who is to blame for a statement that failed: the store, or some of its rows. Rows are blamed only while the store
 * takes others; whoever is in doubt waits.
 */

/** Rows that fail alone, none being stored, beyond which it is clear that the store is to blame. */
const SUSPECTS_WITHOUT_SUCCESS = 1;
/** Rows of one chunk that fail alone for an unknown reason, beyond which it is no longer their fault. */
const MAX_SUSPECTS = 10;
/** Statements that take too long, beyond which rows are set aside without a look at each. */
const MAX_TOO_SLOW = 8;
/** A statement that took too long is followed by one of so many times fewer rows. */
const FEWER = 4;

/** How rows are tried, and what becomes of them. Of the chunks taken, each is stored or given to one of these. */
export interface Trial {
  /** The waiting rows among `slots`; undefined when none waits. */
  take(slots: Int32Array): Chunk | undefined;
  /** Sends a chunk. Undefined when the store has it. */
  attempt(chunk: Chunk): Promise<StoreError | undefined>;
  /** Whether the store takes these rows now, which it has taken before. */
  isTaken(rows: RowBatch): Promise<boolean>;
  /** The rows wait again. */
  release(chunk: Chunk): void;
  /** The store refuses this one row for what it holds. */
  refuse(chunk: Chunk, failure: StoreError): void;
  /** These rows take too long: they wait, and others do not wait for them. */
  setAside(chunk: Chunk, failure: StoreError, tookMs: number): void;
  isStopped(): boolean;
}

/**
 * Halves the rows down to those the store refuses, and stores the others. A row is refused when the store says that it
 * is to blame, or, for an unknown reason, when it fails alone twice and a row that the store has taken before is taken
 * again right after. Otherwise the store is to blame, and all rows wait again. Returns whether every row is stored or
 * refused.
 */
export async function separateRefused(slots: Int32Array, trial: Trial): Promise<boolean> {
  const parts = slots.length === 1 ? [slots] : halves(slots);
  const suspects: Chunk[] = [];
  let control: RowBatch | undefined;
  let isStoreToBlame = false;
  while (parts.length > 0 && !isStoreToBlame && !trial.isStopped()) {
    const chunk = trial.take(parts.pop()!);
    if (!chunk) continue;
    const failure = await trial.attempt(chunk);
    if (!failure) {
      control = chunk.rows.slice(0, 1);
    } else if (chunk.slots.length === 1 && isRefusal(failure)) {
      trial.refuse(chunk, failure);
    } else if (chunk.slots.length === 1 && failure.mayBeOneRow) {
      suspects.push(chunk);
      isStoreToBlame = suspects.length > (control ? MAX_SUSPECTS : SUSPECTS_WITHOUT_SUCCESS);
    } else {
      trial.release(chunk);
      isStoreToBlame = !isRefusal(failure) && !failure.mayBeOneRow;
      if (!isStoreToBlame) parts.push(...halves(chunk.slots));
    }
  }
  isStoreToBlame ||= control === undefined && suspects.length > 0;
  for (const suspect of suspects) {
    const refusal =
      isStoreToBlame || trial.isStopped() || !control ? undefined : await convict(suspect, control, trial);
    if (refusal === 'stored') continue;
    if (refusal) trial.refuse(suspect, refusal);
    else trial.release(suspect);
    isStoreToBlame ||= refusal === undefined;
  }
  return !isStoreToBlame;
}

/** Tries a suspect once more, and then a row that is known to be good. Undefined: the store takes neither. */
async function convict(
  suspect: Chunk,
  control: RowBatch,
  trial: Trial,
): Promise<StoreError | 'stored' | undefined> {
  const failure = await trial.attempt(suspect);
  if (!failure) return 'stored';
  return (await trial.isTaken(control)) ? failure : undefined;
}

/** Rows of a statement whose time was not enough for `rows`. */
export function fewer(rows: number): number {
  return Math.max(1, Math.ceil(rows / FEWER));
}

/**
 * Stores what fits into the time of a statement, and sets aside what does not: a row that is locked, or for which a
 * trigger takes long. The store is to blame when two rows take too long, each alone, and none was stored: then all
 * wait again. Returns whether some were stored. `isStoring`: it is known that the store takes others.
 */
export async function separateSlow(
  slots: Int32Array,
  trial: Trial,
  { isStoring = false } = {},
): Promise<boolean> {
  const slow: { chunk: Chunk; failure: StoreError; tookMs: number }[] = [];
  let size = fewer(slots.length);
  let failures = 0;
  let isStored = isStoring;
  for (let from = 0; from < slots.length && !trial.isStopped(); ) {
    const chunk = trial.take(slots.subarray(from, from + size));
    const beganMs = performance.now();
    const failure = chunk && (await trial.attempt(chunk));
    if (!failure) {
      isStored ||= chunk !== undefined;
      from += size;
      continue;
    }
    if (!failure.tooSlow) {
      trial.release(chunk);
      break;
    }
    failures++;
    if (chunk.slots.length > 1 && failures < MAX_TOO_SLOW) {
      trial.release(chunk);
      size = fewer(size);
      continue;
    }
    slow.push({ chunk, failure, tookMs: performance.now() - beganMs });
    from += size;
    if (!isStored && slow.length > SUSPECTS_WITHOUT_SUCCESS) break;
    // Without a success yet: the quickest way to one.
    size = isStored ? fewer(slots.length) : 1;
  }
  for (const { chunk, failure, tookMs } of slow) {
    if (isStored) trial.setAside(chunk, failure, tookMs);
    else trial.release(chunk);
  }
  return isStored;
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
