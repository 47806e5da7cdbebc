import type { BucketAnswer, Effect, Input, OwnerRecord, PeerMessage, Sender } from './cluster-messages.js';
import * as leases from './lease.js';
import { batchCame, claim, claimed, logAnswered, ordered, ownerTick, storeAnswered } from './owner.js';
import { newOwner, type Owner, type OwnerOptions } from './owner-state.js';
import { handAgain, journaled, type Lane, newLane, ownerSeen, takeRows } from './sender.js';

/** One process of a cluster: its lease, a lane for each partition, and what it owns. */
export interface Member {
  readonly sender: Sender;
  readonly lease: leases.Lease;
  readonly watch: leases.Watch;
  /** By partition. */
  readonly lanes: readonly Lane[];
  readonly owners: readonly Owner[];
}

export interface MemberOptions extends Omit<OwnerOptions, 'sender'> {
  readonly node: number;
  readonly joined: leases.Joined;
  readonly nodes: number;
  readonly partitions: number;
}

export function newMember(options: MemberOptions): Member {
  const { node, joined, nodes, partitions, limits, fence } = options;
  const sender = { node, life: joined.life };
  const ofEach = <T>(make: (partition: number) => T) =>
    Array.from({ length: partitions }, (_, index) => make(index));
  return {
    sender,
    lease: leases.newLease(joined),
    watch: leases.newWatch(nodes),
    lanes: ofEach((partition) => newLane(partition, sender, limits.batchRows)),
    owners: ofEach((partition) => newOwner(partition, { sender, limits, fence })),
  };
}

/**
 * One step: the state is changed in place, what is to be sent is returned. It has no clock, no socket and no chance of
 * its own: the same inputs at the same times give the same effects. `nowMs`: the node's own clock, which never goes
 * back; its zero is its own affair.
 */
export function step(member: Member, input: Input, nowMs: number): Effect[] {
  const { lanes, owners } = member;
  switch (input.from) {
    case 'agents':
      return takeRows(lanes[input.partition]!, input.rows, nowMs);
    case 'node':
      return fromPeer(member, input.message, nowMs);
    case 'log':
      return logAnswered(
        owners[input.partition]!,
        input.answer,
        leases.holdsLease(member.lease, nowMs),
        nowMs,
      );
    case 'bucket':
      return fromBucket(member, input.answer, nowMs);
    case 'store':
      return storeAnswered(owners[input.partition]!, input.answer, nowMs);
    case 'operator':
      return ordered(owners[input.partition]!, input.order, nowMs);
    case 'clock':
      return tick(member, nowMs);
  }
}

function fromPeer({ lanes, owners }: Member, message: PeerMessage, nowMs: number): Effect[] {
  if (message.kind === 'batch') return batchCame(owners[message.partition]!, message.batch, nowMs);
  return journaled(lanes[message.partition]!, message.sender, message.id, nowMs);
}

function fromBucket(member: Member, answer: BucketAnswer, nowMs: number): Effect[] {
  switch (answer.kind) {
    case 'claimed':
      return claimed(member.owners[answer.partition]!, answer.epoch, answer.revision, nowMs);
    case 'renewed':
      if (leases.renewed(member.lease, answer.expected, answer.record, nowMs))
        leases.countAnew(member.watch, nowMs);
      return member.lease.isReplaced ? [{ to: 'process', order: 'end' }] : [];
    case 'seen': {
      if (!leases.seen(member.watch, answer.number, answer.leases, nowMs)) return [];
      return answer.owners.flatMap((record, partition) => [
        ...ownerSeen(member.lanes[partition]!, record.owner?.node, nowMs),
        ...claimWhenFree(member, partition, record, nowMs),
      ]);
    }
  }
}

function tick({ lease, watch, lanes, owners }: Member, nowMs: number): Effect[] {
  const effects: Effect[] = [];
  for (const ask of [leases.renewal(lease, nowMs), leases.look(watch, nowMs)])
    if (ask !== undefined) effects.push({ to: 'bucket', ask });
  for (const lane of lanes) effects.push(...handAgain(lane, nowMs));
  for (const owner of owners) effects.push(...ownerTick(owner, nowMs));
  return effects;
}

/** A stale record costs a claim that is refused; no claim that is taken harms, since its epoch is new. */
function claimWhenFree(member: Member, partition: number, record: OwnerRecord, nowMs: number): Effect[] {
  const { sender, lease, watch } = member;
  const mine = member.owners[partition]!;
  const { owner, revision } = record;
  const epoch = record.epoch + 1;
  if (mine.phase === 'claiming') {
    if (mine.epoch === record.epoch && isSame(owner, sender))
      return claimed(mine, record.epoch, revision, nowMs);
    if (nowMs - mine.claimedMs < leases.RETRY_MS) return [];
    // Not answered: whether it is free is decided anew.
    mine.phase = 'none';
  }
  if (mine.phase !== 'none' || !leases.holdsLease(lease, nowMs)) return [];
  const isGone =
    owner === undefined || owner.node === sender.node || watch.leases[owner.node]!.life > owner.life;
  if (!isGone && !(leases.isLapsed(watch, owner.node) && leases.couldRenew(lease, nowMs))) return [];
  const lapsed = isGone ? undefined : { node: owner.node, revision: watch.leases[owner.node]!.revision };
  const ask = { kind: 'claim', partition, revision, epoch, owner: sender } as const;
  claim(mine, epoch, nowMs);
  return [{ to: 'bucket', ask: lapsed ? { ...ask, lapsed } : ask }];
}

function isSame(one: Sender | undefined, other: Sender): boolean {
  return one?.node === other.node && one.life === other.life;
}
