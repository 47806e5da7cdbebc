import test from 'ava';
import type { BucketAsk, LeaseRecord } from '../../src/cluster/cluster-messages.js';
import { join, newJoining, QUIET_MS } from '../../src/cluster/join.js';

const EVERY_MS = 300;

/** Looks until `untilMs`, and shows `leaseAt`; gives what it asked for besides. */
function looksUntil(
  joining: ReturnType<typeof newJoining>,
  untilMs: number,
  leaseAt: (ms: number) => LeaseRecord,
) {
  const asked: { readonly atMs: number; readonly ask: BucketAsk }[] = [];
  for (let atMs = 0; atMs <= untilMs; atMs += EVERY_MS) {
    for (const ask of join(joining, undefined, atMs)) {
      if (ask.kind !== 'look') {
        asked.push({ atMs, ask });
        continue;
      }
      const seen = { kind: 'seen', number: ask.number, leases: [leaseAt(atMs)], owners: [] } as const;
      for (const one of join(joining, seen, atMs + 1)) asked.push({ atMs, ask: one });
    }
  }
  return asked;
}

test('the first process of a node takes its first life at once', (t) => {
  const joining = newJoining(0, 1);
  const [first] = looksUntil(joining, 0, () => ({ life: 0, revision: 0 }));
  t.deepEqual(first?.ask, { kind: 'renew', revision: 0, value: { life: 1 } });
  join(joining, { kind: 'renewed', expected: 0, isTaken: true, record: { life: 1, revision: 9 } }, 10);
  t.like(joining.outcome, { life: 1, revision: 9 });
});

test('a process takes the next life of its node when the lease of the one before has not moved for a while', (t) => {
  const joining = newJoining(0, 1);
  const asked = looksUntil(joining, 3 * QUIET_MS, () => ({ life: 7, revision: 5 }));
  t.deepEqual(asked[0]?.ask, { kind: 'renew', revision: 5, value: { life: 8 } });
  t.true(asked[0]!.atMs >= QUIET_MS);
});

test('a process does not join while another one of its node renews its lease', (t) => {
  const joining = newJoining(0, 1);
  const asked = looksUntil(joining, 5000, (ms) => ({ life: 7, revision: 1 + Math.floor(ms / 1000) }));
  t.is(joining.outcome, 'in-use');
  t.deepEqual(asked, []);
});

test('a life that somebody else took is not taken', (t) => {
  const joining = newJoining(0, 1);
  looksUntil(joining, 0, () => ({ life: 0, revision: 0 }));
  join(joining, { kind: 'renewed', expected: 0, isTaken: false, record: { life: 1, revision: 9 } }, 10);
  t.is(joining.outcome, undefined);
});
