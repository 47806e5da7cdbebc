import test from 'ava';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { addressMatcher } from '../../src/view/query/address-prefix.js';

const octet = fc.oneof(fc.constantFrom(0, 1, 10, 25, 100, 255), fc.nat(255));
const address = fc
  .tuple(octet, octet, octet, octet)
  .map(([a, b, c, d]) => (a << 24) | (b << 16) | (c << 8) | d);
const text = fc.oneof(
  fc
    .tuple(address, fc.option(fc.nat(65_535)), fc.nat(22))
    .map(([ip, port, length]) => `${formatIpv4(ip)}${port === null ? '' : `:${port}`}`.slice(0, length)),
  fc.string({ unit: fc.constantFrom('0', '1', '2', '5', '.', ':', 'x', '-'), maxLength: 9 }),
);

test('an address is found by what its text begins with, with its port when that is asked for, and by nothing else', (t) => {
  fc.assert(
    fc.property(text, address, fc.nat(65_535), (prefix, ip, port) => {
      const whole = prefix.includes(':') ? `${formatIpv4(ip)}:${port}` : formatIpv4(ip);
      const [said] = /^[\d.:]*$/.exec(prefix) ?? [];
      // What it was made of as well: two by chance hardly ever begin alike.
      const own = `${formatIpv4(ip)}:${port}`.slice(0, prefix.length);
      t.is(addressMatcher(prefix)?.(ip, port) ?? false, said !== undefined && whole.startsWith(prefix));
      t.true(addressMatcher(own)?.(ip, port));
    }),
    { numRuns: 3_000 },
  );
});
