import test from 'ava';
import fc from 'fast-check';
import { backoffMs } from '../../src/model/backoff.js';
import { messageOf, ReporterError, StoreError } from '../../src/model/errors.js';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import { int32 } from './samples.js';

test('an address reads back from its text, signed or unsigned', (t) => {
  t.is(formatIpv4(-1_062_731_775), '192.168.0.1');
  t.is(formatIpv4(0xc0a80001), '192.168.0.1');
  t.is(parseIpv4('192.168.0.1'), -1_062_731_775);
  fc.assert(
    fc.property(int32, (bits) => {
      t.is(parseIpv4(formatIpv4(bits)), bits);
      t.is(formatIpv4(bits >>> 0), formatIpv4(bits));
    }),
  );
});

test('what is no address is none', (t) => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.-4', '1.2.3.4 ', 'a.b.c.d', '0x1.2.3.4'])
    t.is(parseIpv4(text), undefined, text);
});

test('pauses double from the first to the last, half of them up to chance', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 0, max: 60_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, firstMs, more, chance) => {
        const lastMs = firstMs + more;
        const full = Math.min(lastMs, firstMs * 2 ** (attempt - 1));
        const pause = backoffMs(attempt, { firstMs, lastMs }, () => chance);
        t.true(Number.isInteger(pause));
        t.true(Math.abs(pause - full * (0.5 + chance / 2)) <= 0.5);
      },
    ),
  );
});

test('errors are told apart by their codes', (t) => {
  const cause = new Error('why');
  const error = new ReporterError('JOURNAL_IN_USE', 'in use', { cause });
  t.like(error, { name: 'ReporterError', code: 'JOURNAL_IN_USE', message: 'in use', cause });
  const failure = new StoreError('poison', 'ER_BAD', 'no');
  t.like(failure, { name: 'StoreError', class: 'poison', code: 'ER_BAD', maybeApplied: false });
  t.true(new StoreError('retry', 'X', 'y', { maybeApplied: true }).maybeApplied);
});

test('anything thrown has a message', (t) => {
  t.is(messageOf(new Error('said')), 'said');
  t.is(messageOf('text'), 'text');
  t.is(messageOf(undefined), 'undefined');
});
