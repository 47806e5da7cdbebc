import test from 'ava';
import {
  couldRenew,
  countAnew,
  HOLD_MS,
  holdsLease,
  isLapsed,
  LEASE_MS,
  look,
  MAX_DRIFT,
  MAX_UNRENEWED_MS,
  newLease,
  newWatch,
  renewal,
  renewed,
  seen,
  type Watch,
} from '../../src/cluster/lease.js';

const JOINED = { life: 1, revision: 0, sinceMs: Number.NEGATIVE_INFINITY };

/** Looks at a time; the answer comes `tookMs` later. */
function lookAt(watch: Watch, atMs: number, revision: number, tookMs = 10): void {
  const ask = look(watch, atMs);
  if (ask?.kind === 'look') seen(watch, ask.number, [{ life: 1, revision }], atMs + tookMs);
}

test('a lease that has not moved for its time is free, one that moves is not', (t) => {
  const watch = newWatch(1);
  for (let at = 0; at <= 10_000; at += 500) {
    lookAt(watch, at, 1 + Math.floor(at / 1000));
    t.false(isLapsed(watch, 0), String(at));
  }
  for (let at = 10_500; at < 10_010 + LEASE_MS - 400; at += 500) {
    lookAt(watch, at, 11);
    t.false(isLapsed(watch, 0), String(at));
  }
  lookAt(watch, 10_010 + LEASE_MS, 11);
  t.true(isLapsed(watch, 0));
});

test('time in which the bucket could not be read does not count, and the count starts anew', (t) => {
  const watch = newWatch(1);
  lookAt(watch, 0, 1);
  lookAt(watch, 500, 1);
  // An outage of 6 s.
  lookAt(watch, 6500, 1);
  t.false(isLapsed(watch, 0));
  for (let at = 7000; at < 6510 + LEASE_MS - 400; at += 500) lookAt(watch, at, 1);
  t.false(isLapsed(watch, 0));
  lookAt(watch, 6510 + LEASE_MS, 1);
  t.true(isLapsed(watch, 0));
});

test('an answer that was long on its way says nothing of the time it took', (t) => {
  const watch = newWatch(1);
  for (let at = 0; at <= 2500; at += 500) lookAt(watch, at, 1);
  lookAt(watch, 2900, 1, 900);
  t.false(isLapsed(watch, 0));
});

test('a read that shows less than an earlier one counts for nothing', (t) => {
  const watch = newWatch(1);
  lookAt(watch, 0, 5);
  lookAt(watch, 500, 4);
  t.is(watch.leases[0]!.revision, 5);
});

test('a node stops counting on its lease before others take it, however clocks drift within the margin', (t) => {
  const lease = newLease(JOINED);
  const ask = renewal(lease, 1000);
  t.deepEqual(ask, { kind: 'renew', revision: 0, value: { life: 1 } });
  // The answer takes a while: what counts is when it was sent.
  renewed(lease, 0, { life: 1, revision: 7 }, 1500);
  t.true(holdsLease(lease, 1000 + HOLD_MS - 1));
  t.false(holdsLease(lease, 1000 + HOLD_MS));
  t.true(HOLD_MS / (1 - MAX_DRIFT) <= LEASE_MS / (1 + MAX_DRIFT) + 1e-9);
});

test('a node whose lease a later life has counts on it no more, and writes none', (t) => {
  const lease = newLease(JOINED);
  renewal(lease, 0);
  renewed(lease, 0, { life: 2, revision: 9 }, 10);
  t.false(holdsLease(lease, 0));
  t.is(renewal(lease, 5000), undefined);
});

test('a node that could not renew its own lease for long concludes nothing from those of others', (t) => {
  const lease = newLease({ ...JOINED, sinceMs: 0 });
  renewal(lease, 1000);
  t.false(renewed(lease, 0, { life: 1, revision: 7 }, 1010));
  t.true(couldRenew(lease, 1000 + MAX_UNRENEWED_MS));
  t.false(couldRenew(lease, 1001 + MAX_UNRENEWED_MS));
  // The next one is taken 6 s later: nobody could renew in between.
  renewal(lease, 2000);
  t.true(renewed(lease, 7, { life: 1, revision: 8 }, 8000));
  const watch = newWatch(1);
  for (let at = 0; at <= 8000; at += 500) lookAt(watch, at, 1);
  t.true(isLapsed(watch, 0));
  countAnew(watch, 8000);
  t.false(isLapsed(watch, 0));
});
