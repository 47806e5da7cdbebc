import { int32Column } from './columns.js';
import { Records } from './slots.js';

/** Words of a row: one cache line. The first two are its key. */
export const ROW_WORDS = 16;
export const HOST = 0;
export const VOICE = 1;
export const PAIR = 2;
export const SUCC = 3;
export const ERR = 4;
/** uint32, the agent's clock. */
export const TS = 5;
/** Second it was last heard. */
export const HEARD = 6;
/** Second it was last heard with the flag; 0 = never. */
export const LAST_ON = 7;
export const PREV_SUCC = 8;
export const PREV_ERR = 9;
/** Second the previous window ended; 0 = there is none. */
export const PREV_AT = 10;
export const CHANGED = 11;
/** Next row of the same host, plus 1; 0 = last. */
export const NEXT = 12;
/** Row that was heard after this one the last time: a guess. */
export const AFTER = 13;
/** Number of the peer it was last heard from; of a row with VIA: its stored key. */
export const ORIGIN = 14;
export const BITS = 15;

/** The flag as last reported. */
export const FLAG = 1;
/** Heard since the start; not read from the table. */
export const LIVE = 2;
export const FRESH = 4;
/** Held for overloaded. */
export const HOT = 8;
/** Fresh and with the flag. */
export const FLAGGED = 16;
/** Fresh and with a counted call in its window. */
export const COUNTED = 32;
/** Its reports name a loopback address. */
export const VIA = 64;
/** Seen in the running sweep of the table. */
export const SWEPT = 128;
/** About to be removed. */
export const DEAD = 256;
/** It waited for the store in the running reading: what the table has of it is older. */
export const CAUGHT = 512;

/** How long the counters of a caller's previous window count as well, in seconds. */
export const PREVIOUS_S = 60;

/**
 * What each caller last said of each host: one record of 16 words a row, and when it has to be looked at again. A
 * row is found by its host and its voice, or guessed: agents report the hosts of a service again and again in the
 * same order.
 */
export class Rows {
  readonly records = new Records(2, ROW_WORDS);
  /** Second at which a row is another one by time alone; 0 = no row. Scanned in order once a second. */
  due = int32Column(this.records.capacity);

  get size(): number {
    return this.records.size;
  }

  add(host: number, voice: number): number {
    const row = this.records.add(host, voice);
    if (this.records.capacity > this.due.length) this.due = int32Column(this.records.capacity, this.due);
    return row;
  }

  remove(row: number): void {
    this.due[row] = 0;
    this.records.words[row * ROW_WORDS + BITS] = 0;
    this.records.remove(row);
  }
}

/** Calls in a caller's window, and in the one before while that counts. */
export function callsInWindow(words: Int32Array, base: number, now: number): number {
  const calls = words[base + SUCC]! + words[base + ERR]!;
  return hasPrevious(words, base, now) ? calls + words[base + PREV_SUCC]! + words[base + PREV_ERR]! : calls;
}

/** Failed ones of `callsInWindow`. */
export function errorsInWindow(words: Int32Array, base: number, now: number): number {
  const errors = words[base + ERR]!;
  return hasPrevious(words, base, now) ? errors + words[base + PREV_ERR]! : errors;
}

export function hasPrevious(words: Int32Array, base: number, now: number): boolean {
  const at = words[base + PREV_AT]!;
  return at !== 0 && now - at <= PREVIOUS_S;
}
