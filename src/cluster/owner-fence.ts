import type { Session, StoreAnswer, StoreAsk } from './cluster-messages.js';
import { RETRY_MS } from './lease.js';

/**
 * How statements of an earlier owner are kept from landing late.
 *
 * - `lock`: a named lock of the session. Whoever holds it and is not the owner is killed; what it had on its way is
 *   done before that, or never.
 * - `table`: a row with the owner's epoch and a counter, compared and raised in each statement's transaction: where
 *   sessions may be on different servers, which do not see each other's locks.
 */
export type FenceKind = 'lock' | 'table';

/**
 * - `shut`: nothing was asked for.
 * - `locking`, `raising`: the lock is asked for, or the fence row's epoch is.
 * - `suspecting`: another session has the lock. It is killed when the log has confirmed this epoch after that was seen;
 *   so it is that of an earlier owner, however long the answer or the order to kill took.
 * - `confirming`: the lock is held; the log is to confirm the epoch before the first statement.
 * - `open`: statements may go.
 */
export type FencePhase = 'shut' | 'locking' | 'raising' | 'suspecting' | 'confirming' | 'open';

/** The owner's side of the fence. */
export interface Fence {
  readonly kind: FenceKind;
  phase: FencePhase;
  session: Session;
  victim: Session | undefined;
  /** Rises each time something is seen that the log is to confirm. */
  round: number;
  /** Of the fence row, as far as is known. */
  count: number;
  askedMs: number;
}

export function newFence(kind: FenceKind, epoch: number): Fence {
  const session = { epoch, count: 0 };
  return {
    kind,
    phase: 'shut',
    session,
    victim: undefined,
    round: 0,
    count: 0,
    askedMs: Number.NEGATIVE_INFINITY,
  };
}

/** Begins anew, with a session of its own: at first, and when a session is lost. */
export function openFence(fence: Fence, nowMs: number): StoreAsk[] {
  fence.session = { epoch: fence.session.epoch, count: fence.session.count + 1 };
  fence.phase = fence.kind === 'lock' ? 'locking' : 'raising';
  return ask(fence, nowMs);
}

/** What was not answered is asked again. */
export function askAgain(fence: Fence, nowMs: number): StoreAsk[] {
  const isAsking = fence.phase === 'locking' || fence.phase === 'raising';
  return isAsking && nowMs - fence.askedMs >= RETRY_MS ? ask(fence, nowMs) : [];
}

function ask(fence: Fence, nowMs: number): StoreAsk[] {
  fence.askedMs = nowMs;
  const { session } = fence;
  return [fence.kind === 'lock' ? { kind: 'lock', session } : { kind: 'raise', epoch: session.epoch }];
}

/** What an entry of this epoch that is begun now would confirm, if anything. */
export function toConfirm({ phase, round }: Fence): number | undefined {
  return phase === 'suspecting' || phase === 'confirming' ? round : undefined;
}

export function fenceAnswered(fence: Fence, answer: StoreAnswer, nowMs: number): StoreAsk[] {
  switch (answer.kind) {
    case 'locked':
      if (isOf(fence, answer.session) && fence.phase === 'locking') wait(fence, 'confirming');
      break;
    case 'held':
      if (!isOf(fence, answer.session) || fence.phase !== 'locking') break;
      fence.victim = answer.holder;
      wait(fence, 'suspecting');
      break;
    case 'ended':
      if (isOf(fence, answer.session)) return openFence(fence, nowMs);
      break;
    case 'raised':
      if (fence.phase !== 'raising' || answer.epoch !== fence.session.epoch) break;
      fence.count = answer.count;
      fence.phase = 'open';
      break;
  }
  return [];
}

function wait(fence: Fence, phase: FencePhase): void {
  fence.phase = phase;
  fence.round++;
}

/** The log took an entry of this epoch that was begun to confirm this round. */
export function confirmed(fence: Fence, round: number, mayKill: boolean, nowMs: number): StoreAsk[] {
  if (round !== fence.round) return [];
  if (fence.phase === 'confirming') fence.phase = 'open';
  if (fence.phase !== 'suspecting') return [];
  if (mayKill) return kill(fence, nowMs);
  // Later, when the lease may be there: the lock is asked for again.
  fence.phase = 'locking';
  return [];
}

function kill(fence: Fence, nowMs: number): StoreAsk[] {
  const { session, victim } = fence;
  fence.phase = 'locking';
  return victim ? [{ kind: 'kill', session, victim }, ...ask(fence, nowMs)] : ask(fence, nowMs);
}

function isOf({ session }: Fence, { epoch, count }: Session): boolean {
  return session.epoch === epoch && session.count === count;
}
