import test from 'ava';
import fc from 'fast-check';
import { Blocks, blockProblem } from '../../src/model/blocks.js';
import { formatIpv4 } from '../../src/model/ipv4.js';

test('a block of IPv4 holds the addresses that begin with the same bits, and no others', (t) => {
  const bits = fc.nat(0xffffffff);
  fc.assert(
    fc.property(bits, fc.nat(32), bits, fc.nat(32), (base, prefix, other, same) => {
      // Half of the time an address that shares some of the first bits.
      const mask = same === 0 ? 0 : (0xffffffff << (32 - same)) >>> 0;
      const address = ((base & mask) | (other & ~mask)) >>> 0;
      const first = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
      const isIn = (address & first) >>> 0 === (base & first) >>> 0;
      t.is(new Blocks([`${formatIpv4(base)}/${prefix}`]).has(formatIpv4(address)), isIn);
    }),
  );
});

test('blocks of IPv6, bare addresses, and no block at all', (t) => {
  const blocks = new Blocks(['fd00::/8', '10.1.2.3', '2001:db8::1']);
  for (const inside of ['fd12:3456::1', '10.1.2.3', '2001:db8::1']) t.true(blocks.has(inside), inside);
  for (const outside of ['fe80::1', '10.1.2.4', '2001:db8::2', 'unknown', ''])
    t.false(blocks.has(outside), outside);
  // A list of IPv6 takes IPv4 for a part of it, if it is asked.
  t.false(new Blocks(['::/0']).has('10.1.2.3'));
  t.false(new Blocks(['0.0.0.0/0']).has('fd00::1'));
  t.false(blocks.isEmpty);
  t.true(new Blocks([]).isEmpty);
  t.false(new Blocks([]).has('10.1.2.3'));
});

for (const text of [
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'fd00::/129',
  '10.0.0',
  'here',
  '',
])
  test(`what is no block is told: ${JSON.stringify(text)}`, (t) => {
    t.is(typeof blockProblem(text), 'string');
  });
