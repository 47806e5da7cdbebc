import { UNKNOWN_PEER } from './peer-addresses.js';
import { Records } from './slots.js';

const WORDS = 6;
const CALLER = 1;
const PEER = 2;
const HEARD = 3;
const SWITCHED = 4;
const ROWS = 5;

/** Reports of one stored key from two addresses within so many seconds: one overwrites the other. */
const SAME_S = 60;

/** Keys without rows whose history is kept; beyond, that of the one left longest ago goes. */
const MAX_LEFT = 10_000;

/**
 * Keys of the table that several machines may write: those whose caller is a loopback address. Each has a row of
 * the view for each machine. Keys of one machine are followed only from when a second one wrote them. A machine that
 * calls itself otherwise leaves its key; who wrote that is remembered, as others may go on writing it.
 */
export class StoredKeys {
  readonly #records = new Records(2, WORDS);
  /** Rows whose key came from several addresses: when it last changed hands. */
  readonly #switchedRows = new Map<number, number>();
  /** Keys without rows, the one left longest ago first. */
  readonly #left = new Set<number>();

  /** The number of the key, for one more row of it. */
  hold(host: number, caller: number): number {
    const key = this.#of(host, caller);
    this.#records.words[key * WORDS + ROWS]!++;
    this.#left.delete(key);
    return key;
  }

  /** A row of the key is gone, or has another key now. */
  release(key: number): void {
    const at = key * WORDS + ROWS;
    this.#records.words[at]!--;
    if (this.#records.words[at] === 0) this.#leave(key);
  }

  caller(key: number): number {
    return this.#records.words[key * WORDS + CALLER]!;
  }

  /** Whether machines told apart by their address have rows of this key. */
  isHeld(host: number, caller: number): boolean {
    const key = this.#records.find(host, caller);
    return key >= 0 && this.#records.words[key * WORDS + ROWS]! > 0;
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

  /** A row whose key was its own has another one now. `last`, `heard`: who wrote its own, and when. */
  leaveOwn(row: number, host: number, caller: number, last: number, heard: number): void {
    // Of a writer nobody knows there is nothing to remember, but that who wrote it before does not count any more.
    const key = last === UNKNOWN_PEER ? this.#records.find(host, caller) : this.#of(host, caller);
    if (key < 0) return;
    const { words } = this.#records;
    const base = key * WORDS;
    words[base + PEER] = last;
    words[base + HEARD] = heard;
    words[base + SWITCHED] = this.#switchedRows.get(row) ?? 0;
    this.#switchedRows.delete(row);
    if (words[base + ROWS] === 0) this.#leave(key);
  }

  /** A row has its own key again. Returns who wrote that last, and when. */
  returnToOwn(row: number, host: number, caller: number): { last: number; heard: number } {
    const key = this.#records.find(host, caller);
    if (key < 0) return { last: 0, heard: 0 };
    const { words } = this.#records;
    const base = key * WORDS;
    const switched = words[base + SWITCHED]!;
    if (switched > 0) this.#switchedRows.set(row, switched);
    return { last: words[base + PEER]!, heard: words[base + HEARD]! };
  }

  /** A row is gone. */
  forgetRow(row: number): void {
    this.#switchedRows.delete(row);
  }

  /** Hosts are gone, with all their rows: their numbers are used for others. */
  forgetHosts(hosts: ReadonlySet<number>): void {
    for (const key of this.#left) if (hosts.has(this.#records.words[key * WORDS]!)) this.#forget(key);
  }

  #of(host: number, caller: number): number {
    const known = this.#records.find(host, caller);
    return known >= 0 ? known : this.#records.add(host, caller);
  }

  #leave(key: number): void {
    this.#left.delete(key);
    this.#left.add(key);
    const [oldest] = this.#left;
    if (oldest !== undefined && this.#left.size > MAX_LEFT) this.#forget(oldest);
  }

  #forget(key: number): void {
    this.#left.delete(key);
    this.#records.remove(key);
  }
}

function changesHands(last: number, heard: number, peer: number, now: number): boolean {
  return last !== peer && last !== 0 && peer !== 0 && heard !== 0 && now - heard <= SAME_S;
}
