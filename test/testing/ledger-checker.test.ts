import test from 'ava';
import type { Ledger } from '../../src/index.js';
import { LedgerChecker, until } from '../../src/testing/index.js';

const BOUND = { boundMs: 10_000 };
const GOOD: Ledger = {
  ...{ received: 10, recovered: 2, upserted: 5, coalesced: 3, rejected: 1, deadLettered: 1, pending: 2 },
  balanced: true,
};

test('ledgers that balance are samples, and nothing is found', async (t) => {
  const ledgers = new LedgerChecker(() => GOOD, 1);
  await until(() => ledgers.samples >= 3, { ...BOUND, what: 'some samples' });
  await ledgers.stop();
  const { samples } = ledgers;
  t.notThrows(() => ledgers.verify());
  t.deepEqual(ledgers.unbalanced, []);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(ledgers.samples, samples, 'no sample is taken after the stop');
});

for (const column of [
  'received',
  'recovered',
  'upserted',
  'coalesced',
  'rejected',
  'deadLettered',
  'pending',
] as const) {
  test(`one unbalanced sample among good ones is found, whatever it says of itself: ${column}`, async (t) => {
    let reads = 0;
    const ledgers = new LedgerChecker(() => (++reads === 2 ? { ...GOOD, [column]: 11 } : GOOD), 1);
    await until(() => ledgers.samples >= 4, { ...BOUND, what: 'some samples' });
    await ledgers.stop();
    t.deepEqual(ledgers.unbalanced, [{ ...GOOD, [column]: 11 }]);
    t.throws(() => ledgers.verify(), { message: /^1 of \d+ ledgers did not balance, first \{/ });
  });
}

test('a ledger that says it does not balance is found, whatever its numbers', async (t) => {
  const ledgers = new LedgerChecker(async () => ({ ...GOOD, balanced: false }), 60_000);
  await ledgers.stop();
  t.throws(() => ledgers.verify(), { message: /^1 of 1 / });
});

test('reads that fail are no samples; a ledger that was never read is told', async (t) => {
  const ledgers = new LedgerChecker(async () => {
    throw new Error('down');
  }, 1);
  await ledgers.sample();
  await ledgers.stop();
  t.is(ledgers.samples, 0);
  t.throws(() => ledgers.verify(), { message: 'no ledger was read' });
});
