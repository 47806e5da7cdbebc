import test from 'ava';
import fc from 'fast-check';
import {
  MAX_PROXY_HEADER_BYTES,
  mayBeProxyHeader,
  ProxyHeaderError,
  readProxyHeader,
} from '../../src/intake/proxy-header.js';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function version2(command: number, family: number, body: Uint8Array): Buffer {
  const fixed = Buffer.alloc(4);
  fixed[0] = 0x20 | command;
  fixed[1] = family;
  fixed.writeUInt16BE(body.length, 2);
  return Buffer.concat([SIGNATURE, fixed, body]);
}

const ports = Buffer.from([0xdb, 0xc4, 0x1e, 0x63]);
const quad = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

/** Headers of an IPv4 peer, as balancers write them. */
const ofPeer = fc
  .record({ peer: quad, target: quad, more: fc.uint8Array({ maxLength: 300 }), isText: fc.boolean() })
  .map(({ peer, target, more, isText }) => ({
    address: peer.join('.'),
    header: isText
      ? Buffer.from(`PROXY TCP4 ${peer.join('.')} ${target.join('.')} 56260 7779\r\n`)
      : version2(1, 0x11, Buffer.concat([Buffer.from([...peer, ...target]), ports, more])),
  }));

test('a header tells the peer and its own length, however it arrives and whatever follows', (t) => {
  fc.assert(
    fc.property(ofPeer, fc.uint8Array({ maxLength: 50 }), fc.nat(), ({ address, header }, behind, cut) => {
      const whole = Buffer.concat([header, behind]);
      t.deepEqual(readProxyHeader(whole), { bytes: header.length, address });
      const part = header.subarray(0, cut % header.length);
      t.true(mayBeProxyHeader(part));
      t.is(readProxyHeader(part), undefined);
    }),
  );
});

test('whatever is sent, the answer is a header within what came, no end yet, or an error: never more', (t) => {
  const damaged = fc.record({ header: ofPeer, at: fc.nat(), to: fc.nat(255) }).map(({ header, at, to }) => {
    const bytes = Buffer.from(header.header);
    bytes[at % bytes.length] = to;
    return bytes;
  });
  fc.assert(
    fc.property(
      fc.oneof(
        damaged,
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        try {
          const header = readProxyHeader(bytes);
          if (header) t.true(header.bytes > 0 && header.bytes <= bytes.length);
          else t.true(bytes.length < MAX_PROXY_HEADER_BYTES);
        } catch (error) {
          t.true(error instanceof ProxyHeaderError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

const V6 = '2001:db8:0:0:0:0:0:1';
const v6Body = (address: readonly number[]) => Buffer.concat([Buffer.from(address), Buffer.alloc(16), ports]);
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3];

for (const [title, header, address] of [
  ['IPv6, as the system writes it', Buffer.from(`PROXY TCP6 ${V6} ::1 1 2\r\n`), '2001:db8::1'],
  ['IPv6, binary', version2(1, 0x21, v6Body([0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1])), '2001:db8::1'],
  ['IPv4 in IPv6', version2(1, 0x21, v6Body(MAPPED)), '10.1.2.3'],
  ['a balancer that speaks for itself, as health checks do', version2(0, 0, new Uint8Array(0)), undefined],
  ['a balancer that does not know', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['a socket of a file', version2(1, 0x31, new Uint8Array(216)), undefined],
] as const)
  test(`header: ${title}`, (t) => {
    t.deepEqual(readProxyHeader(header), { bytes: header.length, address });
  });

for (const [title, bytes] of [
  ['a report', Buffer.from([3, 0, 0, 0, 10, 0, 0, 0])],
  ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['a line with a wrong family', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['a line with a port that is none', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n')],
  ['addresses that are cut off', version2(1, 0x11, new Uint8Array(11))],
  ['an unknown version', Buffer.concat([SIGNATURE, Buffer.from([0x31, 0x11, 0, 12]), Buffer.alloc(12)])],
  ['one that is too long', version2(1, 0x11, new Uint8Array(MAX_PROXY_HEADER_BYTES))],
] as const)
  test(`no header: ${title}`, (t) => {
    t.throws(() => readProxyHeader(bytes), { instanceOf: ProxyHeaderError });
  });
