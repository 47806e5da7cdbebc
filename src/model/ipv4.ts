/** `10.0.0.1` for the 32 bits of an IPv4 address in host order, signed or unsigned. */
export function formatIpv4(bits: number): string {
  return `${(bits >>> 24) & 255}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** The int32 of a dotted IPv4 address, as reports carry it; undefined when `text` is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!parts) return undefined;
  let bits = 0;
  for (let index = 1; index <= 4; index++) {
    const octet = Number(parts[index]);
    if (octet > 255) return undefined;
    bits = (bits << 8) | octet;
  }
  return bits | 0;
}
