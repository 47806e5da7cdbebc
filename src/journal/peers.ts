import type { Database } from 'lmdb';
import { commit } from './commit.js';

/** More addresses than this are told apart no longer: rows of later ones carry peer 0, "unknown". */
const MAX_PEERS = 1 << 18;
const UNKNOWN = 'unknown';

export interface PeerTableOptions {
  /** Addresses that are told apart. */
  readonly maxPeers?: number;
  /** Whether nothing that is stored carries a number: a table that is half full begins anew then. */
  readonly isUnused?: () => boolean;
}

/**
 * Addresses that reports came from, numbered, so that a row carries its sender in a few bits. A number keeps its
 * address as long as anything stored carries it; it is written before, and so never later on disk than, the first
 * record that uses it.
 */
export class PeerTable {
  readonly #table: Database<string, number>;
  readonly #maxPeers: number;
  readonly #numbers = new Map<string, number>();
  readonly #addresses: string[] = [UNKNOWN];
  /** Numbers that could not be written; tried again when they are used. */
  readonly #unsaved = new Set<number>();

  constructor(table: Database<string, number>, options: PeerTableOptions = {}) {
    const { maxPeers = MAX_PEERS, isUnused = () => false } = options;
    this.#table = table;
    this.#maxPeers = maxPeers;
    for (const { key, value } of table.getRange()) {
      this.#numbers.set(value, key);
      this.#addresses[key] = value;
    }
    if (this.#numbers.size > maxPeers / 2 && isUnused()) this.#clear();
  }

  /** The number of an address (without port); 0 when the table is full. */
  number(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) {
      if (this.#unsaved.has(known)) this.#save(known, address);
      return known;
    }
    if (this.#addresses.length > this.#maxPeers) return 0;
    const number = this.#addresses.length;
    this.#addresses.push(address);
    this.#numbers.set(address, number);
    this.#save(number, address);
    return number;
  }

  /** The number an address has; 0 when it has none. */
  known(address: string): number {
    return this.#numbers.get(address) ?? 0;
  }

  /** The address of a number, "unknown" when there is none. */
  address(number: number): string {
    return this.#addresses[number] ?? UNKNOWN;
  }

  /** Not awaited: commits keep their order, and a row whose peer is not on disk only loses its sender's name. */
  #save(number: number, address: string): void {
    this.#unsaved.delete(number);
    commit(() => this.#table.put(number, address)).catch(() => this.#unsaved.add(number));
  }

  #clear(): void {
    this.#table.clearSync();
    this.#numbers.clear();
    this.#addresses.length = 1;
  }
}
