import { parseIpv4 } from '../model/ipv4.js';
import { int32Column } from './columns.js';

const MAPPED = '::ffff:';
/** More addresses than this are told apart no longer; the journal tells as many. */
const MAX_PEERS = 1 << 18;

/** Number of a sender that is not known. */
export const UNKNOWN_PEER = 0;

/** Addresses that reports come from, numbered, and how many connections are open from each. */
export class PeerAddresses {
  readonly #numbers = new Map<string, number>();
  readonly #byIp = new Map<number, number>();
  readonly #addresses: (string | null)[] = [null];
  /** IPv4 as int32; 0 when it has none. */
  ips = int32Column(64);
  /** Open connections. */
  open = int32Column(64);

  /** The number of an address without port, such as `10.0.0.9`; the same one each time. 0 when there are too many. */
  number(address: string): number {
    const plain = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
    const known = this.#numbers.get(plain);
    if (known !== undefined) return known;
    const number = this.#addresses.length;
    if (number === MAX_PEERS) return UNKNOWN_PEER;
    if (number === this.ips.length) {
      this.ips = int32Column(number * 2, this.ips);
      this.open = int32Column(number * 2, this.open);
    }
    this.#addresses.push(plain);
    this.#numbers.set(plain, number);
    const ip = parseIpv4(plain);
    if (ip !== undefined) {
      this.ips[number] = ip;
      this.#byIp.set(ip, number);
    }
    return number;
  }

  /** Null when the number is not known. */
  address(number: number): string | null {
    return this.#addresses[number] ?? null;
  }

  /** Whether a connection from this IPv4 address is open. */
  isOpenFrom(ip: number): boolean {
    const number = this.#byIp.get(ip);
    return number !== undefined && this.open[number]! > 0;
  }

  /** So many connections from an address are open now. */
  setOpenFrom(address: string, count: number): void {
    const number = this.number(address);
    if (number !== UNKNOWN_PEER) this.open[number] = count;
  }

  /** Replaces what is known of open connections. */
  setOpen(connections: Iterable<readonly [address: string, count: number]>): void {
    this.open.fill(0);
    for (const [address, count] of connections) {
      const number = this.number(address);
      this.open[number]! += count;
    }
  }
}

/** Whether reports that name this caller do not name a machine: 127.0.0.0/8 and 0.0.0.0. */
export function isLoopback(ip: number): boolean {
  return ip >>> 24 === 127 || ip === 0;
}
