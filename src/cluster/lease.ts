import type { BucketAsk, LeaseRecord } from './cluster-messages.js';

/** How much faster or slower than true time a clock may go, as a fraction. */
export const MAX_DRIFT = 0.05;
/** A lease is renewed so often, ms. */
export const RENEW_MS = 1000;
/** A lease that has not moved for so long, ms of the clock of who looks, is free for others. */
export const LEASE_MS = 3000;
/**
 * A node counts on its own lease for so long after it sent a renewal that was taken, ms of its own clock: even when
 * that clock goes slow and the other's fast, it stops before others begin.
 */
export const HOLD_MS = (LEASE_MS * (1 - MAX_DRIFT)) / (1 + MAX_DRIFT);
/** Looks that come further apart than this, ms, do not belong together: the bucket could not be read in between. */
export const MAX_GAP_MS = 1000;
/** A node that has not renewed its own lease for so long, ms, cannot tell whether anybody could. */
export const MAX_UNRENEWED_MS = 1700;
/** What was not answered is asked again, ms. */
export const RETRY_MS = 300;

/** What a process of a node begins with: see `join`. */
export interface Joined {
  readonly life: number;
  /** Of the node's lease, and when it was asked for. */
  readonly revision: number;
  readonly sinceMs: number;
}

/** A node's own lease, kept by its own clock alone. */
export interface Lease {
  readonly life: number;
  revision: number;
  /** When the last renewal that was taken was sent first. */
  sinceMs: number;
  renewal: { readonly firstMs: number; sentMs: number } | undefined;
  /** A later life of the node has it. */
  isReplaced: boolean;
}

export function newLease({ life, revision, sinceMs }: Joined): Lease {
  return { life, revision, sinceMs, renewal: undefined, isReplaced: false };
}

export function holdsLease({ sinceMs, isReplaced }: Lease, nowMs: number): boolean {
  return !isReplaced && nowMs - sinceMs < HOLD_MS;
}

/** Whether leases could be renewed of late, as far as this node knows: else those of others say nothing. */
export function couldRenew({ sinceMs }: Lease, nowMs: number): boolean {
  return nowMs - sinceMs <= MAX_UNRENEWED_MS;
}

/** The write that is due, if any. */
export function renewal(lease: Lease, nowMs: number): BucketAsk | undefined {
  if (lease.isReplaced) return undefined;
  if (lease.renewal === undefined) {
    if (nowMs - lease.sinceMs < RENEW_MS) return undefined;
    lease.renewal = { firstMs: nowMs, sentMs: nowMs };
  } else if (nowMs - lease.renewal.sentMs < RETRY_MS) return undefined;
  lease.renewal.sentMs = nowMs;
  return { kind: 'renew', revision: lease.revision, value: { life: lease.life } };
}

/** A renewal that expected the revision `expected` was answered. True: for long, none could be written. */
export function renewed(lease: Lease, expected: number, record: LeaseRecord, nowMs: number): boolean {
  if (lease.renewal === undefined || expected !== lease.revision) return false;
  const wasAway = !couldRenew(lease, nowMs);
  // A renewal that was refused found its own earlier try there, another life, or what an earlier life had left.
  if (record.life === lease.life) lease.sinceMs = lease.renewal.firstMs;
  if (record.life > lease.life) lease.isReplaced = true;
  lease.revision = record.revision;
  lease.renewal = undefined;
  return wasAway;
}

/** The leases of all nodes, as one node sees them, by its own clock alone. */
export interface Watch {
  readonly leases: { life: number; revision: number; firstSeenMs: number }[];
  look: { readonly number: number; readonly sentMs: number } | undefined;
  /** When the last look that was answered was sent, and when its answer came. */
  lookedMs: number;
  answeredMs: number;
  looks: number;
}

export function newWatch(nodes: number): Watch {
  return {
    leases: Array.from({ length: nodes }, () => ({ life: 0, revision: 0, firstSeenMs: 0 })),
    look: undefined,
    lookedMs: Number.NEGATIVE_INFINITY,
    answeredMs: Number.NEGATIVE_INFINITY,
    looks: 0,
  };
}

/** The read that is due, if any. */
export function look(watch: Watch, nowMs: number): BucketAsk | undefined {
  const lastMs = watch.look?.sentMs ?? watch.lookedMs;
  if (nowMs - lastMs < RETRY_MS) return undefined;
  watch.look = { number: ++watch.looks, sentMs: nowMs };
  return { kind: 'look', number: watch.looks };
}

/** Takes an answer to the last look; false for any other. */
export function seen(watch: Watch, number: number, records: readonly LeaseRecord[], nowMs: number): boolean {
  if (watch.look?.number !== number) return false;
  // While nobody could read, nobody could renew: the count starts anew.
  const isAnew = nowMs - watch.answeredMs > MAX_GAP_MS;
  for (const [node, record] of records.entries()) {
    const { life, revision } = record;
    const known = watch.leases[node]!;
    if (revision > known.revision) watch.leases[node] = { life, revision, firstSeenMs: nowMs };
    else if (isAnew) known.firstSeenMs = nowMs;
  }
  watch.lookedMs = watch.look.sentMs;
  watch.answeredMs = nowMs;
  watch.look = undefined;
  return true;
}

/** Time in which nobody could renew is over. */
export function countAnew({ leases }: Watch, nowMs: number): void {
  for (const known of leases) known.firstSeenMs = nowMs;
}

/**
 * Whether the lease of a node is free for others. From the answer that showed it first to the sending of the look that
 * still showed it: what an answer takes on its way is not counted.
 */
export function isLapsed(watch: Watch, node: number): boolean {
  return watch.lookedMs - watch.leases[node]!.firstSeenMs >= LEASE_MS;
}
