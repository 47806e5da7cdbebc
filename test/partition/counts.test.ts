import test from 'ava';
import fc from 'fast-check';
import type { Ledger } from '../../src/model/status.js';
import { Counts, totalLedger } from '../../src/partition/counts.js';

const count = fc.nat(1_000_000);
const counted = fc
  .record({
    received: count,
    recovered: count,
    upserted: count,
    coalesced: count,
    rejected: count,
    deadLettered: count,
  })
  .map((fields) => Object.assign(new Counts(), fields));

/** What is missing on the side of what was given. */
function gap({ received, recovered, upserted, coalesced, rejected, deadLettered }: Counts): number {
  return received + recovered - upserted - coalesced - rejected - deadLettered;
}

test('a ledger balances when pending is what was taken in and not accounted for, and only then', (t) => {
  fc.assert(
    fc.property(counted, fc.integer({ min: 1, max: 5 }), (counts, off) => {
      t.true(counts.ledger(gap(counts)).balanced);
      t.false(counts.ledger(gap(counts) + off).balanced);
      t.false(counts.ledger(gap(counts) - off).balanced);
    }),
  );
});

test('each count weighs on its own side of the equation', (t) => {
  for (const field of ['received', 'recovered'] as const) {
    const counts = new Counts();
    counts[field] = 3;
    t.true(counts.ledger(3).balanced, field);
  }
  for (const field of ['upserted', 'coalesced', 'rejected', 'deadLettered'] as const) {
    const counts = new Counts();
    counts.received = 3;
    counts[field] = 2;
    t.true(counts.ledger(1).balanced, field);
    t.false(counts.ledger(3).balanced, field);
  }
});

test('a ledger keeps the counts of its moment', (t) => {
  const counts = new Counts();
  counts.received = 1;
  const before = counts.ledger(1);
  counts.received = 2;
  t.is(before.received, 1);
  t.is(before.pending, 1);
});

test('totals are the sums of all ledgers, and balance when those do', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(counted, fc.nat(100)), { maxLength: 6 }), (writers) => {
      const ledgers: Ledger[] = writers.map(([counts, pending]) => counts.ledger(pending));
      const total = totalLedger(ledgers);
      for (const field of [
        'received',
        'recovered',
        'upserted',
        'coalesced',
        'rejected',
        'deadLettered',
        'pending',
      ] as const) {
        t.is(
          total[field],
          ledgers.reduce((sum, ledger) => sum + ledger[field], 0),
        );
      }
      const missing = writers.reduce((sum, [counts, pending]) => sum + gap(counts) - pending, 0);
      t.is(total.balanced, missing === 0);
      t.true(totalLedger(writers.map(([counts]) => counts.ledger(gap(counts)))).balanced);
    }),
  );
});
