import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'lmdb';
import { type DeadLetter, type DeadLetterFilter, isMeant } from '../../model/dead-letter.js';
import { RowBatch, TAG, unpackRow, WORDS_PER_KEY } from '../../model/row.js';
import type { DeadLetters, Peers, StoredDeadLetter } from '../contract.js';
import type { Refusal } from '../record.js';
import { closed } from './commits.js';

/** Dead letters that are read before others run: about 2 ms. */
const READ_AT_ONCE = 200;

/**
 * The table of dead letters. Changed only inside the transaction of the journal record that says so, so that what is
 * pending and what is dead can never both, or neither, hold a row.
 */
export class DeadLetterTable implements DeadLetters {
  readonly #table: Database<DeadLetter, number[]>;
  readonly #peers: Peers;
  /** Keys that have one, so that the usual case, none, costs nothing. */
  readonly #keys = new Set<string>();
  #isClosed = false;

  constructor(table: Database<DeadLetter, number[]>, peers: Peers) {
    this.#table = table;
    this.#peers = peers;
    for (const key of table.getKeys()) this.#keys.add(key.join());
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Whether the key whose packed words begin at `words[at]` has one. */
  has(words: Int32Array, at: number): boolean {
    return this.#keys.size > 0 && this.#keys.has(keyAt(words, at).join());
  }

  /** Of a packed key. Not inside a transaction. */
  get(key: Int32Array): StoredDeadLetter | undefined {
    this.#requireOpen();
    const deadLetter = this.has(key, 0) ? this.#table.get(keyAt(key, 0)) : undefined;
    if (!deadLetter) return undefined;
    const { words } = RowBatch.from([deadLetter.row]);
    words[TAG]! |= this.#peers.number(deadLetter.peer) << 1;
    return { deadLetter, words };
  }

  async *read(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
    let start = firstKey(filter);
    const end = endKey(filter);
    for (;;) {
      this.#requireOpen();
      const range = {
        ...(start ? { start } : {}),
        ...(end ? { end } : {}),
        limit: READ_AT_ONCE,
      };
      const entries = [...this.#table.getRange(range)];
      const meant = entries.map(({ value }) => value).filter((deadLetter) => isMeant(deadLetter, filter));
      if (meant.length > 0) yield meant;
      if (entries.length < READ_AT_ONCE) return;
      // The key itself, and one more word behind it, is the first key that is greater.
      start = [...entries.at(-1)!.key, 0];
      await nextTurn();
    }
  }

  /** Writes the dead letter of a refused row. Inside a transaction, which may be tried again. */
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

  /** Removes the one of a packed key. Inside a transaction, which may be tried again. */
  remove(key: Int32Array): void {
    void this.#table.remove(keyAt(key, 0));
  }

  /** The transaction has been committed: these keys have dead letters now, and those do not. */
  committed(refusals: readonly Refusal[], superseded: readonly Int32Array[]): void {
    for (const key of superseded) this.#keys.delete(keyAt(key, 0).join());
    for (const { words } of refusals) this.#keys.add(keyAt(words, 0).join());
  }

  /** The journal is about to be closed: nothing is to be read any more. */
  close(): void {
    this.#isClosed = true;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }
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
