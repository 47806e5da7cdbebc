const OCTETS = 4;

/** Whether an address, or an address with a port, begins so. Both as numbers: no text is made of each. */
export type AddressMatcher = (ip: number, port: number) => boolean;

/** Of what no address begins with. */
export const matchesNone: AddressMatcher = () => false;

/**
 * The matcher of what `10.0.0.1:80` may begin with; undefined when nothing does. Without a colon, ports do not matter.
 */
export function addressMatcher(prefix: string): AddressMatcher | undefined {
  const [, address, port] = /^([\d.]*)(?::(\d*))?$/.exec(prefix) ?? [];
  if (address === undefined) return undefined;
  const octets = address.split('.');
  const last = octets.pop() ?? '';
  if (octets.length >= OCTETS || (port !== undefined && octets.length !== OCTETS - 1)) return undefined;
  const known = octets.map(Number);
  if (known.some((octet, index) => octet > 255 || String(octet) !== octets[index])) return undefined;
  const shift = (OCTETS - known.length) * 8;
  const wanted = known.reduce((bits, octet) => bits * 256 + octet, 0);
  const isLast = Array.from({ length: 256 }, (_, octet) =>
    port === undefined ? String(octet).startsWith(last) : String(octet) === last,
  );
  if (!isLast.includes(true)) return undefined;
  return (ip, itsPort) =>
    (shift === OCTETS * 8 || ip >>> shift === wanted) &&
    isLast[(ip >>> (shift - 8)) & 255]! &&
    (port === undefined || String(itsPort).startsWith(port));
}
