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
      find: 'return append(owner, openingEntry(owner), last?.sequence ?? 0, nowMs);',
      replace: 'return opened(owner, last?.sequence ?? 0, nowMs);',
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
      find: 'if (found.entry.epoch === owner.epoch) return appended(owner, appending, found.sequence, mayKill, nowMs);',
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
  {
    name: 'no-drift-margin',
    breaks: 'A node counts on its lease as long as others do whose clocks are right.',
    edits: [
      {
        file: 'src/cluster/lease.ts',
        find: 'nowMs - sinceMs < HOLD_MS',
        replace: 'nowMs - sinceMs < LEASE_MS',
      },
    ],
    tests: [
      { file: 'test/cluster/schedules.test', titles: ['whatever is lost*'] },
      { file: 'test/cluster/lease.test', titles: ['a node stops counting*'] },
    ],
  },
  {
    name: 'outage-counts',
    breaks: 'After an outage of the bucket, in which nobody could renew, healthy nodes are taken over.',
    edits: [
      { file: 'src/cluster/lease.ts', find: 'else if (isAnew) known.firstSeenMs = nowMs;', replace: '' },
    ],
    tests: [{ file: 'test/cluster/lease.test', titles: ['time in which the bucket*'] }],
  },
  caughtBySchedules(
    'answers-of-an-earlier-epoch',
    'What the log answered to an earlier epoch of the same process is taken for this one’s.',
    { file: 'src/cluster/owner.ts', find: 'if (answer.epoch !== owner.epoch) return [];', replace: '' },
  ),
  caughtBySchedules(
    'purge-before-published',
    'Entries are removed when the pieces of a snapshot are kept, and no entry names it yet.',
    {
      file: 'src/cluster/owner-snapshot.ts',
      find: 'return toPublish(owner) ? [] : keepNext(owner, snapshot, nowMs);',
      replace:
        "const ask = { kind: 'purge', epoch: owner.epoch, base } as const;\n  return toPublish(owner) ? [{ to: 'log', partition: owner.partition, ask }] : keepNext(owner, snapshot, nowMs);",
    },
  ),
  caughtBySchedules('published-before-kept', 'A snapshot is published when its first piece is kept.', {
    file: 'src/cluster/owner-snapshot.ts',
    find: 'snapshot && snapshot.kept === snapshot.base.pieces',
    replace: 'snapshot && snapshot.kept > 0',
  }),
  caughtBySchedules(
    'purge-to-the-last',
    'Everything that was applied is removed, so that the last sequence is 0 again.',
    {
      file: 'src/cluster/owner-snapshot.ts',
      find: "ask: { kind: 'purge', epoch, base } }",
      replace: "ask: { kind: 'purge', epoch, base: { ...base, sequence: owner.fold.sequence } } }",
    },
  ),
  caughtBySchedules(
    'hole-passed-over',
    'Entries that were removed while a slow owner read the log are not missed.',
    {
      file: 'src/cluster/owner.ts',
      find: 'if (placed.behind !== fold.sequence) return askLast(owner, nowMs);',
      replace: '',
    },
  ),
  caughtBySchedules('piece-passed-over', 'A piece of a snapshot that is not there counts as read.', {
    file: 'src/cluster/owner-snapshot.ts',
    find: 'if (index !== owner.loaded || !piece) return false;\n  applyPiece(owner.fold, piece);',
    replace: 'if (index !== owner.loaded) return false;\n  if (piece) applyPiece(owner.fold, piece);',
  }),
  caughtBySchedules('snapshot-without-senders', 'A snapshot forgets which batches are in the log.', {
    file: 'src/cluster/fold.ts',
    find: 'senders: [...senders.values()],',
    replace: 'senders: [],',
  }),
  caughtBySchedules('snapshot-without-dead-letters', 'A snapshot forgets dead letters.', {
    file: 'src/cluster/fold.ts',
    find: 'deadLetters: keys.flatMap((key) => deadLetters.get(key) ?? []),',
    replace: 'deadLetters: [],',
  }),
  caughtBySchedules(
    'replay-decides',
    'Whether a dead letter steps aside for a newer value is decided when an entry is applied.',
    {
      file: 'src/cluster/owner-entry.ts',
      find: "const isReplay = dead !== undefined && kind === 'replay' && !fold.pending.has(key);",
      replace: "const isReplay = dead !== undefined && kind === 'replay';",
    },
    {
      file: 'src/cluster/fold.ts',
      find: 'receive(fold, entry.replayed, sequence);',
      replace:
        'receive(\n    fold,\n    entry.replayed.filter(({ key }) => !fold.pending.has(key)),\n    sequence,\n  );',
    },
  ),
  caughtBySchedules(
    'replayed-over-newer',
    'A dead letter that is tried again replaces a newer value of its key.',
    {
      file: 'src/cluster/owner-entry.ts',
      find: 'if (!isReplay) released.push(key);',
      replace: "if (kind !== 'replay') released.push(key);",
    },
  ),
  caughtBySchedules(
    'dead-letter-outlives-newer',
    'A dead letter stays when a newer value of its key is stored.',
    {
      file: 'src/cluster/fold.ts',
      find: 'if (dead && dead.sequence < sequence) deadLetters.delete(key);',
      replace: 'if (dead && dead.sequence === sequence) deadLetters.delete(key);',
    },
  ),
  caughtBySchedules('refused-is-forgotten', 'A row that the store refused counts as stored.', {
    file: 'src/cluster/owner.ts',
    find: 'isRefused: refused.includes(row.key)',
    replace: 'isRefused: refused.includes(-1)',
  }),
  caughtBySchedules(
    'refused-and-replaced',
    'A refused value becomes a dead letter though a newer one is pending.',
    {
      file: 'src/cluster/owner-entry.ts',
      find: 'isRefused && fold.pending.get(row.key)?.sequence === row.sequence',
      replace: 'isRefused && row.sequence > 0',
    },
  ),
  caughtBySchedules(
    'keys-unbounded',
    'A batch is journaled though its keys are more than the partition may hold.',
    {
      file: 'src/cluster/owner-entry.ts',
      find: 'if (isNext && added > 0 && fold.pending.size + added > limits.maxKeys) continue;',
      replace: 'if (isNext && added > 0 && added > limits.maxKeys) continue;',
    },
  ),
  caughtBySchedules(
    'replayed-without-room',
    'Dead letters become pending though there is no room for their keys.',
    {
      file: 'src/cluster/owner-entry.ts',
      find: 'if (notes <= 0 || (isReplay && keys <= 0)) continue;',
      replace: 'if (notes <= 0) continue;',
    },
  ),
  caughtBySchedules('batch-uncut', 'A lane hands over all it has in one batch.', {
    file: 'src/cluster/sender.ts',
    find: '.slice(0, lane.batchRows)',
    replace: '',
  }),
  caughtBySchedules('notes-uncut', 'An entry says all that the store said, however much that is.', {
    file: 'src/cluster/owner-entry.ts',
    find: 'owner.outcomes.splice(0, limits.noteRows)',
    replace: 'owner.outcomes.splice(0)',
  }),
  caughtBySchedules('log-never-cut', 'A new owner does not remove what the one before it had no time to.', {
    file: 'src/cluster/owner.ts',
    find: '[...purge(owner, nowMs), ...toStore',
    replace: '[...toStore',
  }),
  caughtBySchedules(
    'unwritable-counts',
    'After time in which leases could be read and not renewed, healthy nodes are taken over.',
    {
      file: 'src/cluster/member.ts',
      find: '!(leases.isLapsed(watch, owner.node) && leases.couldRenew(lease, nowMs))',
      replace: '!leases.isLapsed(watch, owner.node)',
    },
  ),
  caughtBySchedules(
    'unwritable-before-counts',
    'Time in which leases could not be renewed counts when they can be again.',
    {
      file: 'src/cluster/lease.ts',
      find: 'for (const known of leases) known.firstSeenMs = nowMs;',
      replace: 'for (const known of leases) known.firstSeenMs = Math.min(known.firstSeenMs, nowMs);',
    },
  ),
  caughtBySchedules('life-of-two', 'A process that was refused a life takes it when somebody has it.', {
    file: 'src/cluster/join.ts',
    find: 'if (answer.isTaken)',
    replace: 'if (answer.isTaken || answer.record.life === taking.life)',
  }),
  caughtBySchedules(
    'joins-beside-another',
    'A process takes the next life of its node while another one renews its lease.',
    {
      file: 'src/cluster/join.ts',
      find: 'const isQuiet = revision === 0 || watch.lookedMs - firstSeenMs >= QUIET_MS;',
      replace: 'const isQuiet = firstSeenMs <= watch.answeredMs;',
    },
  ),
  caughtBySchedules(
    'in-use-by-a-late-write',
    'What a process wrote before it was killed counts as that of one that runs.',
    {
      file: 'src/cluster/join.ts',
      find: 'const RENEWALS_IN_USE = 3;',
      replace: 'const RENEWALS_IN_USE = 1;',
    },
  ),
  caughtBySchedules('replaced-goes-on', 'A process goes on whose lease a later one has.', {
    file: 'src/cluster/member.ts',
    find: "return member.lease.isReplaced ? [{ to: 'process', order: 'end' }] : [];",
    replace: 'return [];',
  }),
  caughtBySchedules('opening-forgets-the-snapshot', 'The first entry of an epoch names no snapshot.', {
    file: 'src/cluster/owner.ts',
    find: 'owner.base = last?.entry.base ?? NO_BASE;',
    replace: 'owner.base = NO_BASE;',
  }),
  caughtBySchedules('fence-row-uncompared', 'Statements do not look at the fence row.', {
    file: 'src/cluster/owner.ts',
    find: "const count = fence.kind === 'table' ? fence.count : undefined;",
    replace: 'const count = undefined;',
  }),
  {
    name: 'refused-goes-with-released',
    breaks: 'A row that was just refused goes with the older dead letter of its key.',
    edits: [
      {
        file: 'src/cluster/fold.ts',
        find: '  for (const key of entry.released) deadLetters.delete(key);\n',
        replace: '',
      },
      {
        file: 'src/cluster/fold.ts',
        find: '  applyOutcomes(fold, entry);\n',
        replace:
          '  applyOutcomes(fold, entry);\n  for (const key of entry.released) deadLetters.delete(key);\n',
      },
    ],
    tests: [
      { file: 'test/cluster/schedules.test', titles: ['whatever is lost*'] },
      { file: 'test/cluster/fold.test', titles: ['a row that is refused*'] },
    ],
  },
];
