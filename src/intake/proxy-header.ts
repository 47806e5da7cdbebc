import { isIP } from 'node:net';

/**
 * The header of the PROXY protocol, versions 1 and 2: a balancer's first bytes, which say whom it speaks for.
 * Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 *
 *     1: PROXY TCP4 192.0.2.1 192.0.2.9 56324 7779\r\n          at most 107 bytes
 *     2: signature (12) | version, command (1) | family (1) | length (2, big-endian) | addresses, more
 */
export interface ProxyHeader {
  /** Its length. */
  readonly bytes: number;
  /** Of the peer; undefined where the balancer speaks for itself, or does not know. */
  readonly address: string | undefined;
}

/** What a peer sends is no PROXY header. */
export class ProxyHeaderError extends Error {}

/** The longest that is taken: addresses, and what balancers add about names and certificates. */
export const MAX_PROXY_HEADER_BYTES = 4096;

const SIGNATURE_1 = Buffer.from('PROXY ');
const MAX_LINE_BYTES = 107;
const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
/** By family: how long an address is. */
const ADDRESS_BYTES = new Map([
  [1, 4],
  [2, 16],
]);
const MAX_FAMILY = 3;

/** Whether a header may begin with these bytes. */
export function mayBeProxyHeader(bytes: Buffer): boolean {
  return [SIGNATURE_1, SIGNATURE_2].some((signature) => {
    const length = Math.min(signature.length, bytes.length);
    return bytes.subarray(0, length).equals(signature.subarray(0, length));
  });
}

/** The header that `bytes` begin with; undefined when its end is not there yet. Throws ProxyHeaderError. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (!mayBeProxyHeader(bytes)) throw new ProxyHeaderError('these bytes are no PROXY header');
  return bytes[0] === SIGNATURE_1[0] ? readLine(bytes) : readBinary(bytes);
}

function readLine(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAX_LINE_BYTES) throw new ProxyHeaderError('the line of a PROXY header does not end');
    return undefined;
  }
  const [, family, address = '', target = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
  if (family === 'UNKNOWN') return { bytes: end + 2, address: undefined };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  const isWhole = isIP(address) === version && isIP(target) === version && ports.length === 2;
  if (!isWhole || !ports.every(isPort)) throw new ProxyHeaderError('the line of a PROXY header is damaged');
  return { bytes: end + 2, address: plain(address) };
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

function readBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const [command, family] = [bytes[12]!, bytes[13]! >> 4];
  if ((command !== LOCAL && command !== PROXY) || family > MAX_FAMILY)
    throw new ProxyHeaderError('a PROXY header of an unknown version, command or family');
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_PROXY_HEADER_BYTES)
    throw new ProxyHeaderError(
      `a PROXY header of ${length} bytes; at most ${MAX_PROXY_HEADER_BYTES} are taken`,
    );
  const size = ADDRESS_BYTES.get(family);
  const isOfPeer = command === PROXY && size !== undefined;
  if (isOfPeer && length < FIXED_BYTES + 2 * size + 4)
    throw new ProxyHeaderError('a PROXY header is too short for its addresses');
  if (bytes.length < length) return undefined;
  const address = isOfPeer ? addressOf(bytes.subarray(FIXED_BYTES, FIXED_BYTES + size)) : undefined;
  return { bytes: length, address };
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return plain(groups.join(':'));
}

/** As the system writes the address of a socket; IPv4 that is mapped into IPv6 is IPv4. */
function plain(address: string): string {
  if (isIP(address) !== 6) return address;
  const inUrl = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(inUrl);
  if (!mapped) return inUrl;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
