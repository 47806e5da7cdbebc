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
      file: 'src/cluster/messages.ts',
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
      file: 'src/cluster/fence.ts',
      find: "fence.phase = fence.kind === 'lock' ? 'locking' : 'raising';",
      replace: "fence.phase = 'open';",
    },
  ),
  caughtBySchedules(
    'fence-kills-new-owner',
    'Whoever has the lock is killed, and no log is asked who owns.',
    {
      file: 'src/cluster/fence.ts',
      find: "wait(fence, 'suspecting');",
      replace: 'return kill(fence, nowMs);',
    },
  ),
];
