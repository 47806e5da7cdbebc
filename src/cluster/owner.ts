import type {
  Batch,
  Effect,
  Entry,
  LogAnswer,
  Order,
  Placed,
  StoreAnswer,
  StoredRow,
} from './cluster-messages.js';
import { NO_BASE } from './cluster-messages.js';
import { applyEntry, emptyFold, standingOf } from './fold.js';
import { RETRY_MS } from './lease.js';
import { entryOfOutcomes, nextEntry, openingEntry } from './owner-entry.js';
import { askAgain, confirmed, fenceAnswered, newFence, openFence, toConfirm } from './owner-fence.js';
import {
  beginSnapshot,
  loadNext,
  loadPiece,
  pieceKept,
  published,
  purge,
  purged,
  snapshotTick,
} from './owner-snapshot.js';
import { type Appending, askLog, type Owner, readBehind, reply, standDown, toStore } from './owner-state.js';

/** A statement without an answer: its session is given up, ms. */
const STATEMENT_MS = 1000;

/** Asks for the partition. What is not answered is decided anew when owners are next seen. */
export function claim(owner: Owner, epoch: number, nowMs: number): void {
  owner.phase = 'claiming';
  owner.epoch = epoch;
  owner.claimedMs = nowMs;
}

/** `revision`: of the owner record with this epoch; undefined when another stands there. */
export function claimed(owner: Owner, epoch: number, revision: number | undefined, nowMs: number): Effect[] {
  if (owner.phase !== 'claiming' || epoch !== owner.epoch) return [];
  if (revision === undefined) {
    owner.phase = 'none';
    return [];
  }
  owner.revision = revision;
  owner.fence = newFence(owner.fenceKind, epoch);
  owner.phase = 'opening';
  return askLast(owner, nowMs);
}

export function logAnswered(owner: Owner, answer: LogAnswer, mayKill: boolean, nowMs: number): Effect[] {
  if (answer.epoch !== owner.epoch) return [];
  const { appending } = owner;
  switch (answer.kind) {
    case 'last':
      return lastSeen(owner, answer.last, nowMs);
    case 'appended':
      if (answer.expected !== appending?.expected) return [];
      return appended(owner, appending, answer.sequence, mayKill, nowMs);
    case 'refused':
      if (answer.expected !== appending?.expected) return [];
      appending.isRefused = true;
      return readBehind(owner, appending.expected, nowMs);
    case 'entries':
      if (owner.phase === 'replaying') return replayed(owner, answer.after, answer.entries, nowMs);
      if (!appending?.isRefused || answer.after !== appending.expected) return [];
      return readBack(owner, appending, answer.entries[0], mayKill, nowMs);
    case 'piece':
      if (owner.phase !== 'loading') return [];
      // Not there: a later epoch may have removed it.
      if (!loadPiece(owner, answer)) return answer.piece ? [] : askLast(owner, nowMs);
      return owner.loaded < owner.base.pieces ? loadNext(owner, nowMs) : replay(owner, nowMs);
    case 'kept':
      return [...pieceKept(owner, answer, nowMs), ...goOn(owner, nowMs)];
    case 'purged':
      purged(owner, answer);
      return goOn(owner, nowMs);
  }
}

function lastSeen(owner: Owner, last: Placed | undefined, nowMs: number): Effect[] {
  const { phase, epoch, appending } = owner;
  const lastEpoch = last?.entry.epoch ?? 0;
  if (phase === 'loading' || phase === 'replaying') return lastEpoch > epoch ? standDown(owner) : [];
  if (phase !== 'opening' || appending) return [];
  if (lastEpoch >= epoch) return standDown(owner);
  // When the entry is taken behind the last one, no other snapshot is published in between.
  owner.base = last?.entry.base ?? NO_BASE;
  return append(owner, openingEntry(owner), last?.sequence ?? 0, nowMs);
}

/** What stands where an entry was refused: it itself, or that of another. */
function readBack(
  owner: Owner,
  appending: Appending,
  found: Placed | undefined,
  mayKill: boolean,
  nowMs: number,
): Effect[] {
  if (!found) return [];
  if (found.entry.epoch === owner.epoch) return appended(owner, appending, found.sequence, mayKill, nowMs);
  if (owner.phase === 'owning') return standDown(owner);
  owner.appending = undefined;
  return askLast(owner, nowMs);
}

function appended(
  owner: Owner,
  { entry, expected, round }: Appending,
  sequence: number,
  mayKill: boolean,
  nowMs: number,
): Effect[] {
  owner.appending = undefined;
  if (owner.phase === 'opening') return opened(owner, sequence, nowMs);
  apply(owner, { sequence, behind: expected, entry });
  owner.isDoubtful = false;
  const effects = published(owner, entry.base, nowMs);
  if (round !== undefined) effects.push(...toStore(owner, confirmed(owner.fence, round, mayKill, nowMs)));
  const { batch } = entry;
  if (batch) effects.push(reply(owner, batch));
  return [...effects, ...goOn(owner, nowMs)];
}

function apply(owner: Owner, placed: Placed): void {
  applyEntry(owner.fold, placed);
  owner.length++;
}

/** No older epoch appends any more: the snapshot and what stands up to this sequence is all there is. */
function opened(owner: Owner, sequence: number, nowMs: number): Effect[] {
  Object.assign(owner, { openedAt: sequence, fold: emptyFold(), length: 0, loaded: 0, phase: 'loading' });
  return owner.base.pieces > 0 ? loadNext(owner, nowMs) : replay(owner, nowMs);
}

function replay(owner: Owner, nowMs: number): Effect[] {
  owner.phase = 'replaying';
  return readBehind(owner, owner.fold.sequence, nowMs);
}

function replayed(owner: Owner, after: number, entries: readonly Placed[], nowMs: number): Effect[] {
  const { fold, openedAt } = owner;
  if (after !== fold.sequence) return [];
  for (const placed of entries) {
    if (fold.sequence === openedAt) break;
    // What stood in between is removed: a later epoch's snapshot covers it.
    if (placed.behind !== fold.sequence) return askLast(owner, nowMs);
    apply(owner, placed);
  }
  if (fold.sequence < openedAt) return entries.length > 0 ? readBehind(owner, fold.sequence, nowMs) : [];
  owner.phase = 'owning';
  Object.assign(fold, { received: 0, coalesced: 0, upserted: 0, deadLettered: 0 });
  owner.past.recovered += fold.pending.size;
  return [...purge(owner, nowMs), ...toStore(owner, openFence(owner.fence, nowMs)), ...goOn(owner, nowMs)];
}

export function batchCame(owner: Owner, batch: Batch, nowMs: number): Effect[] {
  if (owner.phase !== 'owning') return [];
  const standing = standingOf(owner.fold, batch);
  if (standing === 'known') return [reply(owner, batch)];
  if (standing === 'other' || owner.isLeaving) return [];
  owner.waiting.set(batch.sender.node, batch);
  return goOn(owner, nowMs);
}

export function storeAnswered(owner: Owner, answer: StoreAnswer, nowMs: number): Effect[] {
  if (owner.phase !== 'owning') return [];
  const { statement, fence } = owner;
  const isOwn = 'session' in answer && answer.session.epoch === owner.epoch;
  if (answer.kind === 'ended' && isOwn && answer.session.count === fence.session.count)
    owner.statement = undefined;
  if (answer.kind === 'raised' && answer.epoch > owner.epoch) owner.isDoubtful = true;
  const isOfStatement =
    (answer.kind === 'written' || answer.kind === 'fenced') && isOwn && answer.number === statement?.number;
  if (isOfStatement) {
    owner.statement = undefined;
    fence.count = answer.kind === 'fenced' ? answer.count : fence.count + 1;
    if (answer.kind === 'written') {
      const { refused } = answer;
      owner.outcomes.push(...statement!.rows.map((row) => ({ row, isRefused: refused.includes(row.key) })));
    }
    // An earlier try of this owner landed: the count is known now. Or the fence row is another's.
    else if (answer.epoch !== owner.epoch) owner.isDoubtful = true;
  }
  return [...toStore(owner, fenceAnswered(fence, answer, nowMs)), ...goOn(owner, nowMs)];
}

export function ordered(owner: Owner, order: Order, nowMs: number): Effect[] {
  if (owner.phase !== 'owning' || owner.isLeaving) return [];
  if (order.kind !== 'give-up') {
    owner.orders.set(order.key, order.kind);
    return goOn(owner, nowMs);
  }
  owner.isLeaving = true;
  owner.waiting.clear();
  owner.orders.clear();
  // So that the next owner has little to read.
  const effects = owner.snapshot || owner.length <= 1 ? [] : beginSnapshot(owner, nowMs);
  return [...effects, ...goOn(owner, nowMs)];
}

/** Does what is due, and asks again what was not answered. */
export function ownerTick(owner: Owner, nowMs: number): Effect[] {
  const { appending, phase } = owner;
  if (phase === 'owning') return owningTick(owner, nowMs);
  if (phase === 'opening' && appending) return appendAgain(owner, appending, nowMs);
  if (nowMs - owner.askedMs < RETRY_MS) return [];
  if (phase === 'opening') return askLast(owner, nowMs);
  if (phase === 'loading') return loadNext(owner, nowMs);
  return phase === 'replaying' ? readBehind(owner, owner.fold.sequence, nowMs) : [];
}

function owningTick(owner: Owner, nowMs: number): Effect[] {
  const { appending, statement, fence } = owner;
  const effects = appending ? appendAgain(owner, appending, nowMs) : [];
  if (statement && nowMs - statement.sentMs >= STATEMENT_MS) {
    // It may still land, before the fence is open again.
    owner.statement = undefined;
    effects.push(...toStore(owner, openFence(fence, nowMs)));
  }
  effects.push(...toStore(owner, askAgain(fence, nowMs)), ...snapshotTick(owner, nowMs));
  const entry = owner.appending ? undefined : entryOfOutcomes(owner);
  if (entry) effects.push(...append(owner, entry, owner.fold.sequence, nowMs));
  return [...effects, ...goOn(owner, nowMs)];
}

function appendAgain(owner: Owner, appending: Appending, nowMs: number): Effect[] {
  if (nowMs - appending.sentMs < RETRY_MS) return [];
  appending.sentMs = nowMs;
  const { expected, entry, isRefused } = appending;
  if (isRefused) return readBehind(owner, expected, nowMs);
  return askLog(owner, { kind: 'append', epoch: owner.epoch, expected, entry }, nowMs);
}

/** Begins what can be: the next entry, statement or snapshot, or the end of this ownership. */
function goOn(owner: Owner, nowMs: number): Effect[] {
  if (owner.phase !== 'owning') return [];
  const { appending, statement, outcomes, snapshot, length, limits } = owner;
  const isBusy = appending || statement || outcomes.length > 0 || snapshot || owner.purgeMs !== undefined;
  if (owner.isLeaving && !isBusy) return giveUp(owner);
  const entry = appending ? undefined : nextEntry(owner);
  const effects = entry ? append(owner, entry, owner.fold.sequence, nowMs) : [];
  if (!snapshot && length >= limits.snapshotEntries) effects.push(...beginSnapshot(owner, nowMs));
  return [...effects, ...flushNext(owner, nowMs)];
}

function append(owner: Owner, entry: Entry, expected: number, nowMs: number): Effect[] {
  owner.appending = { entry, expected, round: toConfirm(owner.fence), sentMs: nowMs, isRefused: false };
  return askLog(owner, { kind: 'append', epoch: owner.epoch, expected, entry }, nowMs);
}

function flushNext(owner: Owner, nowMs: number): Effect[] {
  const { fence, fold, appending, outcomes, limits } = owner;
  if (fence.phase !== 'open' || owner.statement || owner.isLeaving || owner.isDoubtful) return [];
  const { confirmed: noted = [], refused = [] } = appending?.entry ?? {};
  const known = [...outcomes.map(({ row }) => row), ...noted, ...refused];
  const rows: StoredRow[] = [];
  for (const row of fold.pending.values()) {
    if (rows.length === limits.statementRows) break;
    if (!known.some(({ key, sequence }) => key === row.key && sequence === row.sequence)) rows.push(row);
  }
  if (rows.length === 0) return [];
  const number = ++owner.statements;
  owner.statement = { number, rows, sentMs: nowMs };
  const count = fence.kind === 'table' ? fence.count : undefined;
  return toStore(owner, [{ kind: 'write', session: fence.session, count, number, rows }]);
}

function giveUp(owner: Owner): Effect[] {
  const effects = standDown(owner);
  const { partition, epoch, revision } = owner;
  const ask = { kind: 'claim', partition, revision, epoch, owner: undefined } as const;
  return [...effects, { to: 'bucket', ask }];
}

function askLast(owner: Owner, nowMs: number): Effect[] {
  return askLog(owner, { kind: 'last', epoch: owner.epoch }, nowMs);
}
