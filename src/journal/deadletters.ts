import type { Database } from 'lmdb';
import { type Row, TAG, unpackRow, WORDS_PER_KEY } from '../model/row.js';
import type { PeerTable } from './peers.js';

/** A row that the store refuses for what it holds. */
export interface Refusal {
  /** The packed row as it was sent. */
  readonly words: Int32Array;
  /** The store's code, and what it said. */
  readonly code: string;
  readonly message: string;
}

/** The newest refused value of a key. */
export interface DeadLetter {
  readonly row: Row;
  /** Address it came from. */
  readonly peer: string;
  readonly code: string;
  readonly message: string;
  /** When the key was refused first and last; milliseconds since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Values of the key that were refused. */
  readonly count: number;
}

/**
 * Rows the store refuses, one entry a key: the newest value, with a count. An entry goes when a newer value of its
 * key is stored. Changed only inside the transaction of the journal record that says so, so that what is pending and
 * what is dead can never both, or neither, hold a row.
 */
export class DeadLetters {
  readonly #table: Database<DeadLetter, number[]>;
  readonly #peers: PeerTable;
  /** Keys that have an entry, so that the usual case, none, costs nothing. */
  readonly #keys = new Set<string>();

  constructor(table: Database<DeadLetter, number[]>, peers: PeerTable) {
    this.#table = table;
    this.#peers = peers;
    for (const key of table.getKeys()) this.#keys.add(key.join());
  }

  /** Keys that have an entry. */
  get size(): number {
    return this.#keys.size;
  }

  /** Whether the key whose packed words begin at `words[at]` has an entry. */
  has(words: Int32Array, at: number): boolean {
    return this.#keys.size > 0 && this.#keys.has(keyAt(words, at).join());
  }

  /** All entries, by primary key. */
  list(): Iterable<DeadLetter> {
    return this.#table.getRange().map(({ value }) => value);
  }

  /** Writes the entry of a refused row. Inside a transaction, which may be tried again. */
  put(refusal: Refusal, nowMs: number): void {
    const key = keyAt(refusal.words, 0);
    const before = this.#table.get(key);
    void this.#table.put(key, {
      row: unpackRow(refusal.words, 0),
      peer: this.#peers.address(refusal.words[TAG]! >>> 1),
      code: refusal.code,
      message: refusal.message,
      firstAt: before?.firstAt ?? nowMs,
      lastAt: nowMs,
      count: (before?.count ?? 0) + 1,
    });
  }

  /** Removes the entry of a key. Inside a transaction, which may be tried again. */
  remove(words: Int32Array, at: number): void {
    void this.#table.remove(keyAt(words, at));
  }

  /** The transaction has been committed: these keys have entries now, and those do not. */
  committed(refusals: readonly Refusal[], superseded: readonly Int32Array[]): void {
    for (const key of superseded) this.#keys.delete(keyAt(key, 0).join());
    for (const { words } of refusals) this.#keys.add(keyAt(words, 0).join());
  }
}

function keyAt(words: Int32Array, at: number): number[] {
  return [...words.subarray(at, at + WORDS_PER_KEY)];
}
