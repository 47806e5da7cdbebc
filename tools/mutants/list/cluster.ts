import type { Edit, Mutant } from '../mutant.js';

function caughtBySchedules(name: string, breaks: string, ...edits: readonly Edit[]): Mutant {
  return {
    ...{ name, breaks, edits },
    tests: [{ file: 'test/cluster/schedules.test', titles: ['whatever is lost*'] }],
  };
}

/** The protocol of several nodes. */
export const CLUSTER_MUTANTS: readonly Mutant[] = [
  caughtBySchedules(
    'no-epoch-record',
    'A new owner reads the log before the earlier one is kept from appending.',
    {
      file: 'src/cluster/owner.ts',
      find: 'return append(owner, openingEntry(owner), answer.sequence, nowMs);',
      replace: 'return opened(owner, answer.sequence, nowMs);',
    },
  ),
  caughtBySchedules('flush-before-replay', 'A new owner stores rows when it has read a part of the log.', {
    file: 'src/cluster/owner.ts',
    find: 'if (fold.sequence < openedAt) return',
    replace: 'if (entries.length === 0) return',
  }),
  caughtBySchedules('reply-of-another-sender', 'A reply to an earlier life is taken for one’s own batch.', {
    file: 'src/cluster/sender.ts',
    find: 'sender.node === lane.sender.node && sender.life === lane.sender.life',
    replace: 'sender.node === lane.sender.node',
  }),
  caughtBySchedules('batch-id-of-earlier-life', 'Batches of a new life count as those of the earlier one.', {
    file: 'src/cluster/fold.ts',
    find: 'const lastId = sender.life === last.life ? last.id : 0;',
    replace: 'const lastId = last.id;',
  }),
  caughtBySchedules(
    'lease-by-anothers-clock',
    'A lease is old by the clock of who wrote it.',
    {
      file: 'src/cluster/cluster-messages.ts',
      find: 'export interface LeaseValue {',
      replace: 'export interface LeaseValue {\n  readonly atMs?: number;',
    },
    {
      file: 'src/cluster/lease.ts',
      find: 'value: { life: lease.life }',
      replace: 'value: { life: lease.life, atMs: nowMs }',
    },
    {
      file: 'src/cluster/lease.ts',
      find: '{ life, revision, firstSeenMs: nowMs }',
      replace: '{ life, revision, firstSeenMs: record.atMs ?? nowMs }',
    },
  ),
  caughtBySchedules(
    'owner-without-fence',
    'A new owner stores rows while the earlier one’s statement is on its way.',
    {
      file: 'src/cluster/owner-fence.ts',
      find: "fence.phase = fence.kind === 'lock' ? 'locking' : 'raising';",
      replace: "fence.phase = 'open';",
    },
  ),
  caughtBySchedules(
    'fence-kills-new-owner',
    'Whoever has the lock is killed, and no log is asked who owns.',
    {
      file: 'src/cluster/owner-fence.ts',
      find: "wait(fence, 'suspecting');",
      replace: 'return kill(fence, nowMs);',
    },
  ),
  {
    name: 'killed-by-an-earlier-confirmation',
    breaks: 'What the log confirmed before another session was seen is taken as leave to kill that one.',
    edits: [
      {
        file: 'src/cluster/owner-fence.ts',
        find: 'if (round !== fence.round) return [];',
        replace: 'if (round < 0) return [];',
      },
    ],
    tests: [{ file: 'test/cluster/owner-fence.test', titles: ['a session is killed only*'] }],
  },
  caughtBySchedules('lock-without-confirmation', 'An earlier owner that finds the lock free writes.', {
    file: 'src/cluster/owner-fence.ts',
    find: "wait(fence, 'confirming');",
    replace: "fence.phase = 'open';",
  }),
  caughtBySchedules(
    'own-append-is-anothers',
    'An entry whose answer was lost counts as that of another owner.',
    {
      file: 'src/cluster/owner.ts',
      find: 'if (found.epoch === owner.epoch) return appended(owner, appending, mayKill, nowMs);',
      replace: '',
    },
  ),
  caughtBySchedules(
    'earlier-life-overtakes',
    'What an earlier life sent is journaled behind what this one did.',
    {
      file: 'src/cluster/fold.ts',
      find: "if (sender.life < last.life) return 'other';",
      replace: '',
    },
  ),
  caughtBySchedules(
    'no-drift-margin',
    'A node counts on its lease as long as others do whose clocks are right.',
    {
      file: 'src/cluster/lease.ts',
      find: 'nowMs - sinceMs < HOLD_MS',
      replace: 'nowMs - sinceMs < LEASE_MS',
    },
  ),
  {
    name: 'outage-counts',
    breaks: 'After an outage of the bucket, in which nobody could renew, healthy nodes are taken over.',
    edits: [
      { file: 'src/cluster/lease.ts', find: 'else if (isAnew) known.firstSeenMs = nowMs;', replace: '' },
    ],
    tests: [{ file: 'test/cluster/lease.test', titles: ['time in which the bucket*'] }],
  },
];
