import type { Effect, Input } from '../../src/cluster/cluster-messages.js';
import { QUIET_MS } from '../../src/cluster/join.js';
import { type Joined, LEASE_MS, MAX_DRIFT } from '../../src/cluster/lease.js';
import type { Member } from '../../src/cluster/member.js';
import { type Limits, ledgerOf, type Owner, type OwnerLedger } from '../../src/cluster/owner-state.js';
import { expectThat } from './broken.js';
import type { BucketModel } from './bucket-model.js';
import { contentsOf, type LogModel } from './log-model.js';
import { MAX_LATE_READ_MS } from './plan.js';
import type { StoreModel } from './store-model.js';

/** An outage of so long, ms, is noticed by all who look, however late what was answered before it comes. */
const NOTICED_MS = 2000;

export interface Parts {
  readonly logs: readonly LogModel[];
  readonly stores: readonly StoreModel[];
  readonly bucket: BucketModel;
}

/** What an owner was before a step. */
export interface Before {
  readonly phase: Owner['phase'];
  readonly epoch: number;
  readonly sequence: number;
  readonly openedAt: number;
  readonly ledger: OwnerLedger & { readonly pending: number };
}

export function before(owner: Owner): Before {
  const { phase, epoch, fold, openedAt } = owner;
  return { phase, epoch, openedAt, sequence: fold.sequence, ledger: ledgerOf(owner) };
}

/** Counts change with nothing else. */
export function hasChanged({ phase, epoch, fold }: Owner, was: Before): boolean {
  return phase !== was.phase || fold.sequence !== was.sequence || epoch !== was.epoch;
}

/** The ledger balances at every moment, and says what the log says. */
export function checkOwner(owner: Owner, was: Before, log: LogModel): void {
  const now = ledgerOf(owner);
  const who = () => `${owner.sender.node}.${owner.sender.life} in epoch ${was.epoch}`;
  const given = now.upserted + now.coalesced + now.deadLettered + now.handedOver + now.pending;
  expectThat(now.received + now.recovered === given, () => `${who()}: unbalanced ${JSON.stringify(now)}`);
  const isOwning = owner.phase === 'owning';
  const wasOwning = was.phase === 'owning' && was.epoch === owner.epoch;
  if (isOwning && !wasOwning) {
    const recovered = now.recovered - was.ledger.recovered;
    const { pending } = log.truth.get(owner.openedAt)!;
    const handled = now.received - was.ledger.received;
    expectThat(
      recovered === pending && handled === 0,
      () => `${who()}: recovered ${recovered} of ${pending}`,
    );
    const [found, there] = [contentsOf(owner.fold), log.openings.get(owner.openedAt)].map((one) =>
      JSON.stringify(one),
    );
    expectThat(
      found === there || there === undefined,
      () => `${who()}: found ${found}, the log says ${there}`,
    );
  }
  if (!wasOwning) return;
  const [from, to] = [log.truth.get(was.sequence)!, log.truth.get(owner.fold.sequence)!];
  for (const name of ['received', 'upserted', 'coalesced', 'deadLettered'] as const) {
    const counted = now[name] - was.ledger[name];
    const happened = to[name] - from[name];
    expectThat(counted === happened, () => `${who()}: ${name} ${counted}, in the log ${happened}`);
  }
  const held = isOwning ? now.pending : now.handedOver - was.ledger.handedOver;
  expectThat(held === to.pending, () => `${who()}: holds ${held}, in the log ${to.pending}`);
  const { maxKeys } = owner.limits;
  expectThat(
    now.pending <= maxKeys,
    () => `${who()}: ${now.pending} keys are pending, ${maxKeys} are the bound`,
  );
  // What it gives away is what the next owner finds. Where a snapshot covers its last entry, it cannot know of it.
  const next = log.next(owner.fold.sequence);
  expectThat(
    isOwning || next?.entry.epoch !== was.epoch || log.isPurgedBehind(owner.fold.sequence),
    () => `${who()}: entry ${next?.sequence} is in no ledger`,
  );
}

/** A process takes the place of no other that renews its lease, as far as it could. */
export function checkJoined(
  node: number,
  { life, revision }: Joined,
  { bucket }: Parts,
  nowMs: number,
): void {
  const before = bucket.revisionBefore(node, revision);
  const stood = before === 0 ? Number.POSITIVE_INFINITY : bucket.stoodMs(node, before, nowMs);
  expectThat(
    stood >= QUIET_MS / (1 + MAX_DRIFT) - MAX_LATE_READ_MS - 1,
    () => `life ${life} of ${node} begins, and the lease of the one before stood for ${stood} ms`,
  );
}

/** An answer to an earlier epoch of the same process says nothing of this one. */
export function isOfEarlierEpoch({ owners }: Member, input: Input): boolean {
  return input.from === 'log' && input.answer.epoch !== owners[input.partition]!.epoch;
}

/** Whatever an owner could do for such an answer. */
export function stateOf({ owners }: Member): string {
  return owners
    .map(({ phase, askedMs, loaded, length, fold, appending, snapshot, purgeMs }) =>
      [phase, askedMs, loaded, length, fold.sequence, appending?.isRefused, snapshot?.kept, purgeMs].join(),
    )
    .join();
}

/** What no node may ever do, whatever it knows. */
export function checkEffect(
  { sender }: Member,
  effect: Effect,
  { logs, bucket }: Parts,
  nowMs: number,
): void {
  if (effect.to === 'agents') {
    const isThere = logs[effect.partition]!.has(sender.node, sender.life, effect.id);
    expectThat(
      isThere,
      () => `batch ${effect.id} of ${sender.node}.${sender.life} is paid back and not in the log`,
    );
  } else if (effect.to === 'bucket' && effect.ask.kind === 'claim' && effect.ask.lapsed) {
    const { node, revision } = effect.ask.lapsed;
    const stood = bucket.countedMs(node, revision, nowMs, NOTICED_MS);
    const least = LEASE_MS / (1 + MAX_DRIFT) - MAX_LATE_READ_MS;
    expectThat(
      stood >= least - 1,
      () => `${sender.node} takes over from ${node}, whose lease stood for ${stood} ms, but for outages`,
    );
  } else if (effect.to === 'store' && effect.ask.kind === 'kill') {
    const { session, victim } = effect.ask;
    expectThat(
      victim.epoch <= session.epoch,
      () => `epoch ${session.epoch} kills the session of ${victim.epoch}`,
    );
    const unmoved = bucket.unmovedMs(sender.node, nowMs);
    const most = LEASE_MS / (1 + MAX_DRIFT);
    expectThat(unmoved <= most + 1, () => `${sender.node} kills, and its lease stands for ${unmoved} ms`);
  }
}

/** Whether everything that was read is journaled, and everything that is journaled is stored. */
export function isSettled(members: readonly Member[], { logs }: Parts): boolean {
  const isIdle = ({ lanes, owners }: Member) =>
    lanes.every(({ handed, merge }) => !handed && merge.size === 0) &&
    owners.every(
      ({ phase, outcomes, appending, snapshot, purgeMs }) =>
        phase !== 'owning' || (outcomes.length === 0 && !appending && !snapshot && purgeMs === undefined),
    );
  const isOwned = (partition: number) => members.some(({ owners }) => owners[partition]!.phase === 'owning');
  return (
    members.every(isIdle) && logs.every((log, partition) => log.last.pending === 0 && isOwned(partition))
  );
}

/** After all: the store has the last value of each key in the log, or that is a dead letter; and the log is short. */
export function checkEnd(
  { logs, stores }: Parts,
  lastRead: ReadonlyMap<number, number>,
  { snapshotEntries }: Limits,
): void {
  for (const [partition, log] of logs.entries()) {
    const { rows } = stores[partition]!;
    for (const [key, value] of log.values) {
      const [stored, dead] = [rows.get(key)?.value, log.deadLetters.get(key)?.value];
      expectThat(
        stored === value || dead === value || log.dropped.has(key),
        () => `key ${key}: the log has ${value}, the store ${stored}, dead letters ${dead}`,
      );
    }
    expectThat(
      log.length <= snapshotEntries,
      () => `the log has ${log.length} entries, a snapshot is due behind ${snapshotEntries}`,
    );
  }
  for (const [key, value] of lastRead) {
    const journaled = logs[key % logs.length]!.values.get(key);
    expectThat(journaled === value, () => `key ${key}: ${value} was read, the log has ${journaled}`);
  }
}
