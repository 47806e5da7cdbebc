import { Records } from './slots.js';

const WORDS = 6;
const CALLER = 1;
const PEER = 2;
const HEARD = 3;
const SWITCHED = 4;
const ROWS = 5;

/** Reports of one stored key from two addresses within so many seconds: one overwrites the other. */
const SAME_S = 60;

/**
 * Keys of the table that several machines may write: those whose caller is a loopback address. Each has a row of
 * the view for each machine. Keys of one machine are followed only from when a second one wrote them.
 */
export class StoredKeys {
  readonly #records = new Records(2, WORDS);
  /** Rows whose key came from several addresses: when it last changed hands. */
  readonly #switchedRows = new Map<number, number>();

  /** The number of the key, for one more row of it. */
  hold(host: number, caller: number): number {
    const known = this.#records.find(host, caller);
    const key = known >= 0 ? known : this.#records.add(host, caller);
    this.#records.words[key * WORDS + ROWS]!++;
    return key;
  }

  /** A row of the key is gone. */
  release(key: number): void {
    const at = key * WORDS + ROWS;
    this.#records.words[at]!--;
    if (this.#records.words[at] === 0) this.#records.remove(key);
  }

  caller(key: number): number {
    return this.#records.words[key * WORDS + CALLER]!;
  }

  /** The key of this host and caller, or -1. */
  find(host: number, caller: number): number {
    return this.#records.find(host, caller);
  }

  /** The peer that wrote the key last. */
  peer(key: number): number {
    return this.#records.words[key * WORDS + PEER]!;
  }

  /**
   * A report of the key came from `peer`. Returns the second of the change of hands before this one, 0 when there
   * was none, or -1 when the key did not change hands.
   */
  write(key: number, peer: number, now: number): number {
    const { words } = this.#records;
    const base = key * WORDS;
    const hasSwitched = changesHands(words[base + PEER]!, words[base + HEARD]!, peer, now);
    const before = words[base + SWITCHED]!;
    words[base + PEER] = peer;
    words[base + HEARD] = now;
    if (!hasSwitched) return -1;
    words[base + SWITCHED] = now;
    return before;
  }

  /** As `write`, for a row whose key is its own. `last`, `heard`: who wrote it before, and when. */
  writeRow(row: number, last: number, heard: number, peer: number, now: number): number {
    if (!changesHands(last, heard, peer, now)) return -1;
    const before = this.#switchedRows.get(row) ?? 0;
    this.#switchedRows.set(row, now);
    return before;
  }

  /** A row is gone. */
  forgetRow(row: number): void {
    this.#switchedRows.delete(row);
  }
}

function changesHands(last: number, heard: number, peer: number, now: number): boolean {
  return last !== peer && last !== 0 && peer !== 0 && heard !== 0 && now - heard <= SAME_S;
}
