import type { Database } from 'lmdb';
import type { Reserve } from './reserve.js';

/** More addresses than this are told apart no longer: rows of later ones carry peer 0, "unknown". */
const MAX_PEERS = 1 << 20;
const UNKNOWN = 'unknown';
/** What an entry takes beside its address; pages are half full. */
const ENTRY_BYTES = 128;

/**
 * Addresses that reports came from, numbered, so that a row carries its sender in a few bits. Numbers are given
 * once and kept in the journal for good; they are written before, and so never later on disk than, the first
 * record that uses them.
 */
export class PeerTable {
  readonly #table: Database<string, number>;
  readonly #reserve: Reserve | undefined;
  readonly #numbers = new Map<string, number>();
  readonly #addresses: string[] = [UNKNOWN];
  /** Whether something was put in this turn. */
  #hasCommit = false;

  /** Without a reserve it is only read. */
  constructor(table: Database<string, number>, reserve?: Reserve) {
    this.#table = table;
    this.#reserve = reserve;
    for (const { key, value } of table.getRange()) {
      this.#numbers.set(value, key);
      this.#addresses[key] = value;
    }
  }

  /** The number of an address (without port); 0 when the table is full. */
  number(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) return known;
    if (this.#addresses.length > MAX_PEERS) return 0;
    const number = this.#addresses.length;
    this.#addresses.push(address);
    this.#numbers.set(address, number);
    // Not awaited: commits keep their order, and a row whose peer is not on disk only loses its sender's name.
    this.#reserve
      ?.commit(this.#need(address), () => this.#table.put(number, address))
      .catch(() => this.#numbers.delete(address));
    return number;
  }

  /** Many agents may connect at once; what is put in one turn shares its commit. */
  #need(address: string): number {
    const bytes = ENTRY_BYTES + address.length;
    if (this.#hasCommit) return bytes;
    this.#hasCommit = true;
    setImmediate(() => {
      this.#hasCommit = false;
    });
    return this.#reserve!.bytesToStore(bytes);
  }

  /** The number an address has; 0 when it has none. */
  known(address: string): number {
    return this.#numbers.get(address) ?? 0;
  }

  /** The address of a number, "unknown" when there is none. */
  address(number: number): string {
    return this.#addresses[number] ?? UNKNOWN;
  }
}
