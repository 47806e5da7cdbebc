import { TAG, WORDS_PER_ROW } from '../../model/row.js';
import { type Peers, UNKNOWN_PEER } from '../contract.js';

/** More addresses than this are told apart no longer: rows of later ones carry peer 0, "unknown". */
const MAX_PEERS = 1 << 18;

/** What the numbers in the rows of a message mean: number and address. */
export type PeerList = readonly (readonly [number: number, address: string])[];

/** Numbers of addresses, of this process alone. What leaves it carries the addresses that it uses. */
export class LocalPeers implements Peers {
  readonly #maxPeers: number;
  readonly #numbers = new Map<string, number>();
  readonly #addresses: string[] = [UNKNOWN_PEER];

  constructor(maxPeers = MAX_PEERS) {
    this.#maxPeers = maxPeers;
  }

  number(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) return known;
    if (this.#addresses.length > this.#maxPeers || address === UNKNOWN_PEER) return 0;
    const number = this.#addresses.push(address) - 1;
    this.#numbers.set(address, number);
    return number;
  }

  address(number: number): string {
    return this.#addresses[number] ?? UNKNOWN_PEER;
  }

  /** Those that packed rows use. */
  listOf(...packed: readonly Int32Array[]): PeerList {
    const numbers = new Set<number>();
    for (const rows of packed)
      for (let at = TAG; at < rows.length; at += WORDS_PER_ROW) numbers.add(rows[at]! >>> 1);
    numbers.delete(0);
    return Array.from(numbers, (number) => [number, this.address(number)] as const);
  }

  /** Gives packed rows of another process the numbers of this one, in place. */
  renumber(rows: Int32Array, list: PeerList): void {
    const own = new Map(list.map(([number, address]) => [number, this.number(address)]));
    for (let at = TAG; at < rows.length; at += WORDS_PER_ROW)
      rows[at] = ((own.get(rows[at]! >>> 1) ?? 0) << 1) | (rows[at]! & 1);
  }
}
