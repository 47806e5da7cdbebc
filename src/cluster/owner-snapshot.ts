import { type Base, type Effect, type LogAnswer, NO_BASE } from './cluster-messages.js';
import { applyPiece, pieceOf } from './fold.js';
import { RETRY_MS } from './lease.js';
import { askLog, type Owner, type Snapshot } from './owner-state.js';

export function beginSnapshot(owner: Owner, nowMs: number): Effect[] {
  const { epoch, fold, limits, length } = owner;
  const keys = [...new Set([...fold.pending.keys(), ...fold.deadLetters.keys()])];
  // At least one: senders are in it.
  const pieces = Math.max(1, Math.ceil(keys.length / limits.pieceKeys));
  const base = { epoch, number: ++owner.snapshots, pieces, sequence: fold.sequence };
  owner.snapshot = { base, keys, covers: length, kept: 0, sending: undefined };
  return keepNext(owner, owner.snapshot, nowMs);
}

/** The snapshot that the next entry is to publish. */
export function toPublish({ snapshot }: Owner): Base | undefined {
  return snapshot && snapshot.kept === snapshot.base.pieces ? snapshot.base : undefined;
}

/** An entry that names the base was appended. */
export function published(owner: Owner, base: Base, nowMs: number): Effect[] {
  if (base === owner.base) return [];
  owner.base = base;
  owner.length -= owner.snapshot?.covers ?? 0;
  owner.snapshot = undefined;
  return purge(owner, nowMs);
}

/** Asked by each new owner, too: the one before may have ended before it was done. */
export function purge(owner: Owner, nowMs: number): Effect[] {
  const { base, epoch, partition } = owner;
  if (base.epoch === NO_BASE.epoch) return [];
  owner.purgeMs = nowMs;
  return [{ to: 'log', partition, ask: { kind: 'purge', epoch, base } }];
}

export function purged(owner: Owner, { base }: LogAnswer & { readonly kind: 'purged' }): void {
  if (isSame(base, owner.base)) owner.purgeMs = undefined;
}

export function pieceKept(
  owner: Owner,
  { base, index }: LogAnswer & { readonly kind: 'kept' },
  nowMs: number,
): Effect[] {
  const { snapshot } = owner;
  if (!snapshot || !isSame(base, snapshot.base) || index !== snapshot.kept) return [];
  snapshot.kept++;
  snapshot.sending = undefined;
  return toPublish(owner) ? [] : keepNext(owner, snapshot, nowMs);
}

/** What was not answered is asked again. */
export function snapshotTick(owner: Owner, nowMs: number): Effect[] {
  const { snapshot, purgeMs } = owner;
  const isLate = (sinceMs: number | undefined) => sinceMs !== undefined && nowMs - sinceMs >= RETRY_MS;
  const effects = isLate(purgeMs) ? purge(owner, nowMs) : [];
  return snapshot && isLate(snapshot.sending?.sentMs)
    ? [...effects, ...keepNext(owner, snapshot, nowMs)]
    : effects;
}

/** What is sent again is the same, so that it does not matter which of its copies is kept. */
function keepNext(owner: Owner, snapshot: Snapshot, nowMs: number): Effect[] {
  const { epoch, partition, fold, limits } = owner;
  const { base, kept: index, keys } = snapshot;
  const from = index * limits.pieceKeys;
  const piece = snapshot.sending?.piece ?? pieceOf(fold, keys.slice(from, from + limits.pieceKeys));
  snapshot.sending = { piece, sentMs: nowMs };
  return [{ to: 'log', partition, ask: { kind: 'keep', epoch, base, index, piece } }];
}

/** Asks for the next piece of the base. */
export function loadNext(owner: Owner, nowMs: number): Effect[] {
  const { epoch, base, loaded } = owner;
  return askLog(owner, { kind: 'piece', epoch, base, index: loaded }, nowMs);
}

/** Whether the piece was the one that was asked for, and is applied. */
export function loadPiece(owner: Owner, { index, piece }: LogAnswer & { readonly kind: 'piece' }): boolean {
  if (index !== owner.loaded || !piece) return false;
  applyPiece(owner.fold, piece);
  owner.loaded++;
  if (owner.loaded === owner.base.pieces) owner.fold.sequence = owner.base.sequence;
  return true;
}

function isSame(one: Base, other: Base): boolean {
  return one.epoch === other.epoch && one.number === other.number;
}
