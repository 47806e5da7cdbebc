import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'lmdb';
import {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterPage,
  isMeant,
} from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
import { RowBatch, TAG, unpackRow, WORDS_PER_KEY } from '../../model/row.js';
import type { PeerTable } from './peers.js';

/** A row that the store refuses for what it holds. */
export interface Refusal {
  /** The packed row as it was sent. */
  readonly words: Int32Array;
  /** The store's code, and what it said. */
  readonly code: string;
  readonly message: string;
}

/** Dead letters that are read before others run: about 2 ms. */
const LETTERS_PER_READ = 200;

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
  #closed = false;

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

  /** The entry of the key whose packed words begin at `words[at]`. Not inside a transaction. */
  get(words: Int32Array, at: number): DeadLetter | undefined {
    return this.has(words, at) ? this.#table.get(keyAt(words, at)) : undefined;
  }

  /** The refused row, packed as it was sent. */
  pack({ row, peer }: DeadLetter): Int32Array {
    const { words } = RowBatch.from([row]);
    words[TAG]! |= this.#peers.known(peer) << 1;
    return words;
  }

  /**
   * Entries that the filter means, by primary key, some at a time, so that entries may change between two reads.
   * Others run meanwhile.
   */
  async *read(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
    let start = firstKey(filter);
    const end = endKey(filter);
    for (;;) {
      if (this.#closed) throw new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
      const range = {
        ...(start ? { start } : {}),
        ...(end ? { end } : {}),
        limit: LETTERS_PER_READ,
      };
      const entries = [...this.#table.getRange(range)];
      const letters = entries.map(({ value }) => value).filter((letter) => isMeant(letter, filter));
      if (letters.length > 0) yield letters;
      if (entries.length < LETTERS_PER_READ) return;
      // The key itself, and one more word behind it, is the first key that is greater.
      start = [...entries.at(-1)!.key, 0];
      await nextTurn();
    }
  }

  /** Some of the entries that the filter means, by primary key, and how many there are. */
  async page(filter: DeadLetterFilter, offset: number, limit: number): Promise<DeadLetterPage> {
    const letters: DeadLetter[] = [];
    let total = 0;
    for await (const some of this.read(filter)) {
      const from = Math.max(0, offset - total);
      letters.push(...some.slice(from, from + limit - letters.length));
      total += some.length;
    }
    return { total, letters };
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

  /** The journal is about to be closed: nothing is to be read any more. */
  close(): void {
    this.#closed = true;
  }

  /** The transaction has been committed: these keys have entries now, and those do not. */
  committed(refusals: readonly Refusal[], superseded: readonly Int32Array[]): void {
    for (const key of superseded) this.#keys.delete(keyAt(key, 0).join());
    for (const { words } of refusals) this.#keys.add(keyAt(words, 0).join());
  }
}

/** Packed key of a dead letter. */
export function letterKey({ row }: DeadLetter): Int32Array {
  return RowBatch.from([row]).words.slice(0, WORDS_PER_KEY);
}

function firstKey({ modid, cmdid }: DeadLetterFilter): number[] | undefined {
  if (modid === undefined) return undefined;
  return cmdid === undefined ? [modid] : [modid, cmdid];
}

function endKey({ modid, cmdid }: DeadLetterFilter): number[] | undefined {
  if (modid === undefined) return undefined;
  return cmdid === undefined ? [modid + 1] : [modid, cmdid + 1];
}

function keyAt(words: Int32Array, at: number): number[] {
  return [...words.subarray(at, at + WORDS_PER_KEY)];
}
