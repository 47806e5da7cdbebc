import { MAX_PROXY_HEADER_BYTES, ProxyHeaderError, readProxyHeader } from '../../src/intake/proxy-header.js';
import { messageOf } from '../../src/model/errors.js';
import { Dice } from '../../src/testing/dice.js';

const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** What lines of version 1 are made of when they are not in order. */
const WORDS = [
  'PROXY',
  'TCP4',
  'TCP6',
  'UNKNOWN',
  '10.0.0.1',
  '::1',
  '65535',
  '65536',
  '-1',
  '',
  'x',
  '\r',
  '\0',
];

export interface HostileHeader {
  readonly bytes: Buffer;
  /** Of one that is in order: the address that it tells. */
  readonly address?: string;
}

/** The header of a seed: in order, nearly so, or anything; with bytes behind it. */
export function hostileHeader(seed: number): HostileHeader {
  const dice = new Dice(seed);
  const rest = Buffer.from(dice.bytes(dice.below(40)));
  const header = dice.chance(1, 2) ? line(dice) : binary(dice);
  const bytes = Buffer.concat([header.bytes, rest]);
  if (dice.chance(1, 2)) return { ...header, bytes };
  for (let times = dice.between(1, 4); times > 0; times--) {
    const at = dice.below(bytes.length);
    bytes[at] = dice.pick([dice.below(256), bytes[at]! ^ (1 << dice.below(8)), 0, 255, 13, 32]);
  }
  return { bytes: dice.chance(1, 4) ? bytes.subarray(0, dice.below(bytes.length)) : bytes };
}

function line(dice: Dice): HostileHeader {
  if (dice.chance(1, 3)) {
    const words = Array.from({ length: dice.below(9) }, () => dice.pick(WORDS));
    return {
      bytes: Buffer.from(`PROXY ${words.join(' ')}${dice.pick(['\r\n', '\n', '', '\r\n\r\n'])}`, 'latin1'),
    };
  }
  const address = Array.from({ length: 4 }, () => dice.below(256)).join('.');
  return { bytes: Buffer.from(`PROXY TCP4 ${address} 10.0.0.9 ${dice.below(65_536)} 7779\r\n`), address };
}

function binary(dice: Dice): HostileHeader {
  const isWild = dice.chance(1, 3);
  const [command, family] = isWild ? [dice.below(256), dice.below(256)] : [0x21, 0x11];
  const address = Buffer.from(dice.bytes(4));
  const more = Buffer.from(dice.bytes(dice.pick([0, 3, 100, 4000, 5000])));
  const body = Buffer.concat([address, Buffer.from(dice.bytes(8)), more]);
  const length = isWild ? dice.below(65_536) : body.length;
  const fixed = Buffer.from([command, family, length >> 8, length & 255]);
  const bytes = Buffer.concat([SIGNATURE_2, fixed, body]);
  return isWild || bytes.length > MAX_PROXY_HEADER_BYTES ? { bytes } : { bytes, address: address.join('.') };
}

/**
 * Reads a header as it comes, byte by byte, and returns what is wrong with what is made of it; undefined when nothing is.
 * What is said of it once is said for good, nothing is waited for beyond its longest length, and one in order tells its
 * address.
 */
export function headerDifference({ bytes, address }: HostileHeader): string | undefined {
  let said: string | undefined;
  for (let length = 0; length <= bytes.length; length++) {
    const now = sayingOf(bytes.subarray(0, length));
    if (now?.startsWith('threw')) return `${now} after ${length} bytes`;
    if (said !== undefined && now !== said)
      return `it says ${now} after ${length} bytes, and said ${said} before`;
    said = now;
    if (now === undefined && length >= MAX_PROXY_HEADER_BYTES) return `it waits on after ${length} bytes`;
  }
  if (address !== undefined && !said?.endsWith(` ${address}`)) return `it says ${said}, expected ${address}`;
  return undefined;
}

function sayingOf(bytes: Buffer): string | undefined {
  try {
    const header = readProxyHeader(bytes);
    if (header && header.bytes > bytes.length) return `threw: ${header.bytes} bytes of ${bytes.length}`;
    return header && `${header.bytes} bytes, ${header.address}`;
  } catch (error) {
    return error instanceof ProxyHeaderError ? 'no header' : `threw: ${messageOf(error)}`;
  }
}
