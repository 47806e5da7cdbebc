import type { BucketAnswer, Effect, Input, OwnerRecord, PeerMessage, Sender } from './cluster-messages.js';
import {
  holdsLease,
  isLapsed,
  type Lease,
  look,
  newLease,
  newWatch,
  renewal,
  renewed,
  seen,
  type Watch,
} from './lease.js';
import {
  batchCame,
  claim,
  claimed,
  leave,
  logAnswered,
  newOwner,
  type Owner,
  ownerTick,
  storeAnswered,
} from './owner.js';
import type { FenceKind } from './owner-fence.js';
import { handAgain, journaled, type Lane, newLane, ownerSeen, takeRows } from './sender.js';

/** One process of a cluster: its lease, a lane for each partition, and what it owns. */
export interface Member {
  readonly sender: Sender;
  readonly lease: Lease;
  readonly watch: Watch;
  /** By partition. */
  readonly lanes: readonly Lane[];
  readonly owners: readonly Owner[];
}

export interface MemberOptions {
  readonly sender: Sender;
  readonly nodes: number;
  readonly partitions: number;
  readonly fence: FenceKind;
}

export function newMember({ sender, nodes, partitions, fence }: MemberOptions): Member {
  const ofEach = <T>(make: (partition: number) => T) =>
    Array.from({ length: partitions }, (_, index) => make(index));
  return {
    sender,
    lease: newLease(sender.life),
    watch: newWatch(nodes),
    lanes: ofEach((partition) => newLane(partition, sender)),
    owners: ofEach((partition) => newOwner(partition, sender, fence)),
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
      return logAnswered(owners[input.partition]!, input.answer, holdsLease(member.lease, nowMs), nowMs);
    case 'bucket':
      return fromBucket(member, input.answer, nowMs);
    case 'store':
      return storeAnswered(owners[input.partition]!, input.answer, nowMs);
    case 'operator':
      return leave(owners[input.partition]!, nowMs);
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
      renewed(member.lease, answer.expected, answer.record);
      return [];
    case 'seen': {
      if (!seen(member.watch, answer.number, answer.leases, nowMs)) return [];
      return answer.owners.flatMap((record, partition) => [
        ...ownerSeen(member.lanes[partition]!, record.owner?.node, nowMs),
        ...claimWhenFree(member, partition, record, nowMs),
      ]);
    }
  }
}

function tick({ lease, watch, lanes, owners }: Member, nowMs: number): Effect[] {
  const effects: Effect[] = [];
  for (const ask of [renewal(lease, nowMs), look(watch, nowMs)])
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
  if (mine.phase === 'claiming' && mine.epoch === record.epoch && isSame(owner, sender))
    return claimed(mine, record.epoch, revision, nowMs);
  if (mine.phase !== 'none' || !holdsLease(lease, nowMs)) return [];
  const isGone =
    owner === undefined || owner.node === sender.node || watch.leases[owner.node]!.life > owner.life;
  if (!isGone && !isLapsed(watch, owner.node)) return [];
  const lapsed = isGone ? undefined : { node: owner.node, revision: watch.leases[owner.node]!.revision };
  const ask = { kind: 'claim', partition, revision, epoch, owner: sender } as const;
  return claim(mine, epoch, { to: 'bucket', ask: lapsed ? { ...ask, lapsed } : ask }, nowMs);
}

function isSame(one: Sender | undefined, other: Sender): boolean {
  return one?.node === other.node && one.life === other.life;
}
