import type { Database } from 'lmdb';
import { commit } from '../../lmdb/commit.js';
import type { Reserve } from '../../lmdb/reserve.js';
import { type Peers, UNKNOWN_PEER } from '../contract.js';

/** More addresses than this are told apart no longer: rows of later ones carry peer 0, "unknown". */
const MAX_PEERS = 1 << 18;
/** What an entry takes beside its address; pages are half full. */
const ENTRY_BYTES = 128;

export interface PeerTableOptions {
  /** Addresses that are told apart. */
  readonly maxPeers?: number;
  /** Whether nothing that is stored carries a number: a table that is half full begins anew then. */
  readonly isUnused?: () => boolean;
  /** Of the data file, where one is kept. */
  readonly reserve?: Reserve;
}

/**
 * The table of addresses. A number keeps its address as long as anything stored carries it; it is written before, and so
 * never later on disk than, the first record that uses it.
 */
export class PeerTable implements Peers {
  readonly #table: Database<string, number>;
  readonly #maxPeers: number;
  readonly #numbers = new Map<string, number>();
  readonly #addresses: string[] = [UNKNOWN_PEER];
  /** Numbers that could not be written; tried again when they are used. */
  readonly #unsaved = new Set<number>();
  readonly #reserve: Reserve | undefined;
  /** Whether something was put in this turn. */
  #hasCommit = false;

  constructor(table: Database<string, number>, options: PeerTableOptions = {}) {
    const { maxPeers = MAX_PEERS, isUnused = () => false, reserve } = options;
    this.#table = table;
    this.#maxPeers = maxPeers;
    this.#reserve = reserve;
    for (const { key, value } of table.getRange()) {
      this.#numbers.set(value, key);
      this.#addresses[key] = value;
    }
    if (this.#numbers.size > maxPeers / 2 && isUnused()) this.#clear();
  }

  number(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) {
      if (this.#unsaved.has(known)) this.#save(known, address);
      return known;
    }
    if (this.#addresses.length > this.#maxPeers || address === UNKNOWN_PEER) return 0;
    const number = this.#addresses.length;
    this.#addresses.push(address);
    this.#numbers.set(address, number);
    this.#save(number, address);
    return number;
  }

  address(number: number): string {
    return this.#addresses[number] ?? UNKNOWN_PEER;
  }

  /** Not awaited: commits keep their order, and a row whose peer is not on disk only loses its sender's name. */
  #save(number: number, address: string): void {
    this.#unsaved.delete(number);
    const put = () => this.#table.put(number, address);
    const saved = this.#reserve ? this.#reserve.commit(this.#need(this.#reserve, address), put) : commit(put);
    saved.catch(() => this.#unsaved.add(number));
  }

  /** Many agents may send their first rows at once; what is put in one turn shares its commit. */
  #need(reserve: Reserve, address: string): number {
    const bytes = ENTRY_BYTES + address.length;
    if (this.#hasCommit) return bytes;
    this.#hasCommit = true;
    setImmediate(() => {
      this.#hasCommit = false;
    });
    return reserve.bytesToStore(bytes);
  }

  #clear(): void {
    this.#table.clearSync();
    this.#numbers.clear();
    this.#addresses.length = 1;
  }
}
