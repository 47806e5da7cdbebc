import { isIP, isIPv4 } from 'node:net';
import { Blocks } from '../model/blocks.js';
import type { ConnectionDenial } from '../model/traffic.js';
import { AddressUse } from './address-use.js';

/** What a report's caller must have to do with the address that it came from. */
export type CallerCheck = 'off' | 'warn' | 'reject';

/** Who may send, and how much: keys of the section `listen`, which may change while it runs. */
export interface GateRules {
  /** Connections of all. */
  readonly maxConnections: number;
  /** Blocks of addresses that may connect; all when empty. */
  readonly allow: readonly string[];
  /** Blocks that may not, whatever `allow` says. */
  readonly deny: readonly string[];
  /** Blocks of balancers, whose connections begin with a PROXY header. */
  readonly proxyFrom: readonly string[];
  readonly verifyCaller: CallerCheck;
  /** Blocks that `verifyCaller` leaves alone. */
  readonly verifyExcept: readonly string[];
  readonly perAddress: {
    /** Connections of one address at a time. */
    readonly connections?: number | undefined;
    /** Reports of one address a second; beyond, it is read more slowly. */
    readonly reportsPerSecond?: number | undefined;
    /** Keys that are held for the store with values of one address; beyond, it is read when there are fewer. */
    readonly keys?: number | undefined;
  };
}

/**
 * Where nothing is configured: no honest machine comes near, and a site behind one address goes on. Loopback is not limited
 * then: whole fleets are simulated there.
 */
const LEAST_CONNECTIONS = 2000;
/** Of `listen.maxConnections`: the others are for whoever comes from elsewhere. */
const DEFAULT_SHARE = 0.8;
const DEFAULT_REPORTS_PER_SECOND = 100_000;
const DEFAULT_KEYS = 5_000_000;

/** Who may send, and what each address takes. */
export class Gate {
  readonly #rules: GateRules;
  readonly #keysOf: (peerNumber: number) => number;
  readonly #addresses = new Map<string, AddressUse>();
  readonly #blocks = new WeakMap<readonly string[], Blocks>();

  /** The rules are asked for each time: they may change. `keysOf`: keys that are held with values of a peer. */
  constructor(rules: GateRules, keysOf: (peerNumber: number) => number) {
    this.#rules = rules;
    this.#keysOf = keysOf;
  }

  /** Whether an address is a balancer's, which tells in a PROXY header whom it speaks for. */
  isBalancer(address: string): boolean {
    return this.#of(this.#rules.proxyFrom).has(address);
  }

  /** Whether an address may send at all. */
  mayConnect(address: string): boolean {
    const { allow, deny, proxyFrom } = this.#rules;
    // It was reset before anybody looked. Nobody can say whose it was, or whether a balancer's.
    if (isIP(address) === 0) return allow.length + deny.length + proxyFrom.length === 0;
    if (this.#of(deny).has(address)) return false;
    return allow.length === 0 || this.#of(allow).has(address);
  }

  /** Why one more connection of an address, beside `more` of it that are no connections yet, is refused; undefined when it is not. */
  denialOf(address: string, more = 0): Extract<ConnectionDenial, 'address' | 'address-full'> | undefined {
    if (!this.mayConnect(address)) return 'address';
    const { maxConnections, perAddress } = this.#rules;
    const byDefault = Math.max(LEAST_CONNECTIONS, DEFAULT_SHARE * maxConnections);
    // Those whose address is not known are not one machine.
    if (isIP(address) === 0) return undefined;
    const most = limitOf(perAddress.connections, byDefault, LOOPBACK.has(address));
    return (this.#addresses.get(address)?.connections ?? 0) + more >= most ? 'address-full' : undefined;
  }

  /** A connection of an address begins; to be ended by `left`. */
  entered(address: string): AddressUse {
    let use = this.#addresses.get(address);
    if (!use) {
      // Asked for once: limits are asked for with each chunk.
      const isLoopback = LOOPBACK.has(address);
      use = new AddressUse({
        reportsPerSecond: () =>
          limitOf(this.#rules.perAddress.reportsPerSecond, DEFAULT_REPORTS_PER_SECOND, isLoopback),
        hasRoom: (peerNumber) => {
          const keys = limitOf(this.#rules.perAddress.keys, DEFAULT_KEYS, isLoopback);
          return keys === Number.POSITIVE_INFINITY || this.#keysOf(peerNumber) < keys;
        },
        onRested: () => this.#forget(address),
      });
      this.#addresses.set(address, use);
    }
    use.connections++;
    return use;
  }

  left(address: string): void {
    const use = this.#addresses.get(address);
    if (!use) return;
    use.connections--;
    this.#forget(address);
  }

  /** An address is remembered until what it has sent is made up for: else it would come back, and begin anew. */
  #forget(address: string): void {
    const use = this.#addresses.get(address);
    if (use?.connections !== 0 || use.isWaiting) return;
    const { restMs } = use;
    if (restMs === 0) this.#addresses.delete(address);
    else setTimeout(() => this.#forget(address), restMs).unref();
  }

  /**
   * What is to be done with reports of `address` that name another machine as their caller. A caller in 127.0.0.0/8 or
   * 0.0.0.0 names none: it is what a machine says that does not know its address, and counts as its peer.
   */
  checkOf(address: string): CallerCheck {
    const { verifyCaller, verifyExcept } = this.#rules;
    return verifyCaller !== 'off' && this.#of(verifyExcept).has(address) ? 'off' : verifyCaller;
  }

  #of(list: readonly string[]): Blocks {
    let blocks = this.#blocks.get(list);
    if (!blocks) {
      blocks = new Blocks(list);
      this.#blocks.set(list, blocks);
    }
    return blocks;
  }
}

const LOOPBACK = new Blocks(['127.0.0.0/8', '::1']);

function limitOf(configured: number | undefined, byDefault: number, isLoopback: boolean): number {
  return configured ?? (isLoopback ? Number.POSITIVE_INFINITY : byDefault);
}

/** Whether a caller, as it stands in a report, is the machine with this address. */
export function isCallerAt(caller: number, address: string): boolean {
  const bits = caller >>> 0;
  if (bits === 0 || bits >>> 24 === 127) return true;
  return isIPv4(address) && bits === bitsOf(address);
}

function bitsOf(address: string): number {
  return address.split('.').reduce((bits, part) => (bits << 8) | Number(part), 0) >>> 0;
}
