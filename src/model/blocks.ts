import { BlockList, isIP } from 'node:net';

/** Addresses that any of some CIDR blocks holds; a bare address is a block of one. */
export class Blocks {
  /** Each of its own family: a list takes IPv4 for a part of IPv6. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly isEmpty: boolean;

  /** `blocks`: as `blockProblem` finds nothing wrong with them. */
  constructor(blocks: readonly string[]) {
    this.isEmpty = blocks.length === 0;
    for (const block of blocks) {
      const { address, prefix, family } = read(block);
      this.#lists[family].addSubnet(address, prefix, family);
    }
  }

  /** Whether an IPv4 or IPv6 address is in one of them; what is neither is in none. */
  has(address: string): boolean {
    const version = isIP(address);
    if (version === 0) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return this.#lists[family].check(address, family);
  }
}

/** What is wrong with a text that is to be a CIDR block or an address; undefined when nothing is. */
export function blockProblem(block: string): string | undefined {
  const { address, prefix, most } = read(block);
  const version = isIP(address);
  if (version === 0) return 'is neither an address nor a block such as 10.0.0.0/8 or fd00::/8';
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most)
    return `has a prefix that is not between 0 and ${most}: write a block such as 10.0.0.0/8 or fd00::/8`;
  return undefined;
}

function read(block: string) {
  const [address = '', length, ...more] = block.split('/');
  const family = isIP(address) === 6 ? ('ipv6' as const) : ('ipv4' as const);
  const most = family === 'ipv6' ? 128 : 32;
  const isNumber = length === undefined || (/^\d{1,3}$/.test(length) && more.length === 0);
  return { address, family, most, prefix: isNumber ? Number(length ?? most) : Number.NaN };
}
