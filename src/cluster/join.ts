import type { BucketAnswer, BucketAsk } from './cluster-messages.js';
import { type Joined, look, newWatch, RETRY_MS, seen, type Watch } from './lease.js';

/** A lease that has not moved for so long, ms of one's own clock, is that of a process that is no more, or stands still. */
export const QUIET_MS = 2000;
/** A lease that is renewed so often while it is looked at is in use: more than one late write and one late read explain. */
const RENEWALS_IN_USE = 3;

/**
 * A process that is to become a member takes the next life of its node from the bucket, under the condition that nobody
 * else does; so lives rise, whatever disks remember. While another process renews the node's lease, it does not.
 */
export interface Joining {
  readonly node: number;
  readonly watch: Watch;
  renewals: number;
  taking: Taking | undefined;
  outcome: Joined | 'in-use' | undefined;
}

interface Taking {
  readonly revision: number;
  readonly life: number;
  readonly firstMs: number;
  sentMs: number;
}

export function newJoining(node: number, nodes: number): Joining {
  return { node, watch: newWatch(nodes), renewals: 0, taking: undefined, outcome: undefined };
}

/** One step, as of a member; to come every few hundred ms without an answer, too. `outcome` tells when it is over. */
export function join(joining: Joining, answer: BucketAnswer | undefined, nowMs: number): BucketAsk[] {
  if (joining.outcome !== undefined) return [];
  switch (answer?.kind) {
    case 'renewed':
      return taken(joining, answer);
    case 'seen':
      return looked(joining, answer, nowMs);
    default:
      return tick(joining, nowMs);
  }
}

/** One that was refused may have found its own earlier try; nobody can tell, and the next life is taken then. */
function taken(joining: Joining, answer: BucketAnswer & { readonly kind: 'renewed' }): BucketAsk[] {
  const { taking } = joining;
  if (answer.expected !== taking?.revision) return [];
  joining.taking = undefined;
  if (answer.isTaken)
    joining.outcome = { life: taking.life, revision: answer.record.revision, sinceMs: taking.firstMs };
  return [];
}

function looked(
  joining: Joining,
  answer: BucketAnswer & { readonly kind: 'seen' },
  nowMs: number,
): BucketAsk[] {
  const { node, watch } = joining;
  const before = watch.leases[node]!;
  if (!seen(watch, answer.number, answer.leases, nowMs)) return [];
  const { life, revision, firstSeenMs } = watch.leases[node]!;
  // One that begins a life may be this process's own try.
  const isRenewed = before.revision > 0 && revision > before.revision && life === before.life;
  if (isRenewed && ++joining.renewals === RENEWALS_IN_USE) joining.outcome = 'in-use';
  const isQuiet = revision === 0 || watch.lookedMs - firstSeenMs >= QUIET_MS;
  if (joining.outcome !== undefined || joining.taking || !isQuiet) return [];
  joining.taking = { revision, life: life + 1, firstMs: nowMs, sentMs: nowMs };
  return [askOf(joining.taking)];
}

function tick({ watch, taking }: Joining, nowMs: number): BucketAsk[] {
  const ask = look(watch, nowMs);
  const asks = ask ? [ask] : [];
  if (!taking || nowMs - taking.sentMs < RETRY_MS) return asks;
  taking.sentMs = nowMs;
  return [...asks, askOf(taking)];
}

function askOf({ revision, life }: Taking): BucketAsk {
  return { kind: 'renew', revision, value: { life } };
}
