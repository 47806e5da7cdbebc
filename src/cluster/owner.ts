import type {
  Batch,
  Confirmed,
  Effect,
  Entry,
  LogAnswer,
  LogAsk,
  Sender,
  StoreAnswer,
  StoreAsk,
  StoredRow,
} from './cluster-messages.js';
import { applyEntry, emptyFold, type Fold, standingOf } from './fold.js';
import { RETRY_MS } from './lease.js';
import type { Fence, FenceKind } from './owner-fence.js';
import { askAgain, confirmed, fenceAnswered, newFence, openFence, toConfirm } from './owner-fence.js';

/** Rows of one statement. */
const STATEMENT_ROWS = 2;
/** A statement without an answer: its session is given up, ms. */
const STATEMENT_MS = 1000;

/**
 * - `none`: the partition is another's.
 * - `claiming`: the owner record with the next epoch is asked for.
 * - `opening`: the epoch's own entry is put behind whatever is last. From there on no older epoch appends.
 * - `replaying`: all up to that entry is read.
 * - `owning`: batches are taken, rows are flushed.
 */
export type OwnerPhase = 'none' | 'claiming' | 'opening' | 'replaying' | 'owning';

/** Of what this process did with the partition, over all its epochs. */
export interface OwnerLedger {
  received: number;
  recovered: number;
  upserted: number;
  coalesced: number;
  handedOver: number;
}

interface Appending {
  readonly entry: Entry;
  readonly expected: number;
  /** See `toConfirm`. */
  readonly round: number | undefined;
  sentMs: number;
  /** What came behind `expected` is read: it may be this entry, from a try whose answer was lost. */
  isRefused: boolean;
}

interface Statement {
  readonly number: number;
  readonly rows: readonly StoredRow[];
  readonly sentMs: number;
}

/** One node as the owner of one partition. */
export interface Owner {
  readonly partition: number;
  readonly sender: Sender;
  readonly fenceKind: FenceKind;
  phase: OwnerPhase;
  epoch: number;
  /** Of the owner record that this epoch wrote. */
  revision: number;
  claim: { readonly effect: Effect; sentMs: number } | undefined;
  /** Sequence of the epoch's own entry. */
  openedAt: number;
  askedMs: number;
  fold: Fold;
  appending: Appending | undefined;
  /** By node: what is to be journaled next. */
  readonly waiting: Map<number, Batch>;
  /** Stored, and not yet noted in the log. */
  stored: Confirmed[];
  fence: Fence;
  statement: Statement | undefined;
  statements: number;
  /** Somebody may have taken over: the next entry will tell. */
  isDoubtful: boolean;
  /** It takes nothing more, and gives up when nothing is on its way. */
  isLeaving: boolean;
  readonly past: OwnerLedger;
}

export function newOwner(partition: number, sender: Sender, fenceKind: FenceKind): Owner {
  return {
    ...{ partition, sender, fenceKind, phase: 'none', epoch: 0, revision: 0, claim: undefined, openedAt: 0 },
    ...{ askedMs: 0, fold: emptyFold(), appending: undefined, waiting: new Map(), stored: [] },
    ...{ fence: newFence(fenceKind, 0), statement: undefined, statements: 0 },
    ...{ isDoubtful: false, isLeaving: false },
    past: { received: 0, recovered: 0, upserted: 0, coalesced: 0, handedOver: 0 },
  };
}

/** The ledger of the present moment, with `pending`: received + recovered = upserted + coalesced + handedOver + pending. */
export function ledgerOf({ past, phase, fold }: Owner): OwnerLedger & { readonly pending: number } {
  if (phase !== 'owning') return { ...past, pending: 0 };
  return {
    received: past.received + fold.received,
    recovered: past.recovered,
    upserted: past.upserted + fold.upserted,
    coalesced: past.coalesced + fold.coalesced,
    handedOver: past.handedOver,
    pending: fold.pending.size,
  };
}

/** Asks for the partition; `effect` is the claim of the epoch, to be sent again until it is answered. */
export function claim(owner: Owner, epoch: number, effect: Effect, nowMs: number): Effect[] {
  owner.phase = 'claiming';
  owner.epoch = epoch;
  owner.claim = { effect, sentMs: nowMs };
  return [effect];
}

/** `revision`: of the owner record with this epoch; undefined when another stands there. */
export function claimed(owner: Owner, epoch: number, revision: number | undefined, nowMs: number): Effect[] {
  if (owner.phase !== 'claiming' || epoch !== owner.epoch) return [];
  owner.claim = undefined;
  if (revision === undefined) {
    owner.phase = 'none';
    return [];
  }
  owner.revision = revision;
  owner.fold = emptyFold();
  owner.fence = newFence(owner.fenceKind, epoch);
  owner.phase = 'opening';
  return askLog(owner, { kind: 'last', epoch }, nowMs);
}

export function logAnswered(owner: Owner, answer: LogAnswer, mayKill: boolean, nowMs: number): Effect[] {
  if (answer.epoch !== owner.epoch) return [];
  const { appending } = owner;
  switch (answer.kind) {
    case 'last':
      if (owner.phase !== 'opening' || appending) return [];
      if (answer.lastEpoch >= owner.epoch) return standDown(owner);
      return append(owner, openingEntry(owner), answer.sequence, nowMs);
    case 'appended':
      return answer.expected === appending?.expected ? appended(owner, appending, mayKill, nowMs) : [];
    case 'refused':
      if (answer.expected !== appending?.expected) return [];
      appending.isRefused = true;
      return readBehind(owner, appending.expected, nowMs);
    case 'entries':
      if (owner.phase === 'replaying') return replayed(owner, answer.from, answer.entries, nowMs);
      if (!appending?.isRefused || answer.from !== appending.expected + 1) return [];
      return readBack(owner, appending, answer.entries[0], mayKill, nowMs);
  }
}

/** What stands where an entry was refused: it itself, or that of another. */
function readBack(
  owner: Owner,
  appending: Appending,
  found: Entry | undefined,
  mayKill: boolean,
  nowMs: number,
): Effect[] {
  if (!found) return [];
  if (found.epoch === owner.epoch) return appended(owner, appending, mayKill, nowMs);
  if (owner.phase === 'owning') return standDown(owner);
  owner.appending = undefined;
  return askLog(owner, { kind: 'last', epoch: owner.epoch }, nowMs);
}

function appended(
  owner: Owner,
  { entry, expected, round }: Appending,
  mayKill: boolean,
  nowMs: number,
): Effect[] {
  owner.appending = undefined;
  if (owner.phase === 'opening') return opened(owner, expected + 1, nowMs);
  applyEntry(owner.fold, entry);
  owner.isDoubtful = false;
  const effects = round === undefined ? [] : toStore(owner, confirmed(owner.fence, round, mayKill, nowMs));
  const { batch } = entry;
  if (batch) effects.push(reply(owner, batch));
  return [...effects, ...goOn(owner, nowMs)];
}

function openingEntry({ epoch }: Owner): Entry {
  return { epoch, batch: undefined, confirmed: [] };
}

/** No older epoch appends any more: what stands up to this sequence is all there is. */
function opened(owner: Owner, sequence: number, nowMs: number): Effect[] {
  owner.openedAt = sequence;
  owner.phase = 'replaying';
  return readBehind(owner, 0, nowMs);
}

function replayed(owner: Owner, from: number, entries: readonly Entry[], nowMs: number): Effect[] {
  const { fold, openedAt } = owner;
  if (from !== fold.sequence + 1) return [];
  for (const entry of entries) if (fold.sequence < openedAt) applyEntry(fold, entry);
  if (fold.sequence < openedAt) return entries.length > 0 ? readBehind(owner, fold.sequence, nowMs) : [];
  owner.phase = 'owning';
  Object.assign(fold, { received: 0, coalesced: 0, upserted: 0 });
  owner.past.recovered += fold.pending.size;
  return [...toStore(owner, openFence(owner.fence, nowMs)), ...goOn(owner, nowMs)];
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
    if (answer.kind === 'written') owner.stored.push(...statement!.rows);
    // An earlier try of this owner landed: the count is known now. Or the fence row is another's.
    else if (answer.epoch !== owner.epoch) owner.isDoubtful = true;
  }
  return [...toStore(owner, fenceAnswered(fence, answer, nowMs)), ...goOn(owner, nowMs)];
}

/** Gives the partition up in order, as soon as nothing is on its way. */
export function leave(owner: Owner, nowMs: number): Effect[] {
  if (owner.phase !== 'owning') return [];
  owner.isLeaving = true;
  owner.waiting.clear();
  return goOn(owner, nowMs);
}

/** Does what is due, and asks again what was not answered. */
export function ownerTick(owner: Owner, nowMs: number): Effect[] {
  const { appending, statement, epoch } = owner;
  const isLate = (sinceMs: number) => nowMs - sinceMs >= RETRY_MS;
  switch (owner.phase) {
    case 'none':
      return [];
    case 'claiming':
      if (!owner.claim || !isLate(owner.claim.sentMs)) return [];
      owner.claim.sentMs = nowMs;
      return [owner.claim.effect];
    case 'opening':
      if (!appending) return isLate(owner.askedMs) ? askLog(owner, { kind: 'last', epoch }, nowMs) : [];
      return appendAgain(owner, appending, nowMs);
    case 'replaying':
      return isLate(owner.askedMs) ? readBehind(owner, owner.fold.sequence, nowMs) : [];
    case 'owning': {
      const effects = appending ? appendAgain(owner, appending, nowMs) : [];
      if (statement && nowMs - statement.sentMs >= STATEMENT_MS) {
        // It may still land, before the fence is open again.
        owner.statement = undefined;
        effects.push(...toStore(owner, openFence(owner.fence, nowMs)));
      }
      effects.push(...toStore(owner, askAgain(owner.fence, nowMs)));
      return [...effects, ...noteStored(owner, nowMs), ...goOn(owner, nowMs)];
    }
  }
}

function appendAgain(owner: Owner, appending: Appending, nowMs: number): Effect[] {
  if (nowMs - appending.sentMs < RETRY_MS) return [];
  appending.sentMs = nowMs;
  const { expected, entry, isRefused } = appending;
  if (isRefused) return readBehind(owner, expected, nowMs);
  return askLog(owner, { kind: 'append', epoch: owner.epoch, expected, entry }, nowMs);
}

/** Begins what can be: the next entry, the next statement, or the end of this ownership. */
function goOn(owner: Owner, nowMs: number): Effect[] {
  if (owner.isLeaving && !owner.appending && !owner.statement && owner.stored.length === 0)
    return giveUp(owner);
  return [...journalNext(owner, nowMs), ...flushNext(owner, nowMs)];
}

function journalNext(owner: Owner, nowMs: number): Effect[] {
  if (owner.appending) return [];
  let batch: Batch | undefined;
  for (const [node, one] of owner.waiting) {
    owner.waiting.delete(node);
    if (standingOf(owner.fold, one) !== 'next') continue;
    batch = one;
    break;
  }
  const isAsked = owner.isDoubtful || toConfirm(owner.fence) !== undefined;
  const isLast = owner.isLeaving && owner.stored.length > 0;
  return batch || isAsked || isLast ? appendNext(owner, batch, nowMs) : [];
}

/** What is stored goes along with batches; where none comes, in an entry of its own. */
function noteStored(owner: Owner, nowMs: number): Effect[] {
  return owner.appending || owner.stored.length === 0 ? [] : appendNext(owner, undefined, nowMs);
}

function appendNext(owner: Owner, batch: Batch | undefined, nowMs: number): Effect[] {
  const entry = { epoch: owner.epoch, batch, confirmed: owner.stored };
  owner.stored = [];
  return append(owner, entry, owner.fold.sequence, nowMs);
}

function append(owner: Owner, entry: Entry, expected: number, nowMs: number): Effect[] {
  owner.appending = { entry, expected, round: toConfirm(owner.fence), sentMs: nowMs, isRefused: false };
  return askLog(owner, { kind: 'append', epoch: owner.epoch, expected, entry }, nowMs);
}

function flushNext(owner: Owner, nowMs: number): Effect[] {
  const { fence, fold, appending, stored } = owner;
  if (fence.phase !== 'open' || owner.statement || owner.isLeaving || owner.isDoubtful) return [];
  const isStored = ({ key, sequence }: StoredRow) =>
    [...stored, ...(appending?.entry.confirmed ?? [])].some(
      (one) => one.key === key && one.sequence === sequence,
    );
  const rows: StoredRow[] = [];
  for (const row of fold.pending.values()) {
    if (rows.length === STATEMENT_ROWS) break;
    if (!isStored(row)) rows.push(row);
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

/** The partition is another's from now on. What is pending is in the log, for the next owner. */
function standDown(owner: Owner): Effect[] {
  const wasOwning = owner.phase === 'owning';
  const now = ledgerOf(owner);
  if (wasOwning) {
    const { received, upserted, coalesced } = now;
    Object.assign(owner.past, { received, upserted, coalesced, handedOver: now.handedOver + now.pending });
  }
  Object.assign(owner, { phase: 'none', appending: undefined, statement: undefined, stored: [] });
  Object.assign(owner, { isDoubtful: false, isLeaving: false });
  owner.waiting.clear();
  return wasOwning ? toStore(owner, [{ kind: 'close', session: owner.fence.session }]) : [];
}

function readBehind(owner: Owner, sequence: number, nowMs: number): Effect[] {
  return askLog(owner, { kind: 'read', epoch: owner.epoch, from: sequence + 1 }, nowMs);
}

function askLog(owner: Owner, ask: LogAsk, nowMs: number): Effect[] {
  owner.askedMs = nowMs;
  return [{ to: 'log', partition: owner.partition, ask }];
}

function reply({ partition }: Owner, { sender, id }: Batch): Effect {
  return { to: 'node', node: sender.node, message: { kind: 'journaled', partition, sender, id } };
}

function toStore({ partition }: Owner, asks: readonly StoreAsk[]): Effect[] {
  return asks.map((ask) => ({ to: 'store', partition, ask }));
}
