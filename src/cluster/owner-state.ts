import type {
  Base,
  Batch,
  Effect,
  Entry,
  LogAsk,
  Order,
  Piece,
  Sender,
  StoreAsk,
  StoredRow,
} from './cluster-messages.js';
import { NO_BASE } from './cluster-messages.js';
import { emptyFold, type Fold } from './fold.js';
import { type Fence, type FenceKind, newFence } from './owner-fence.js';

/**
 * - `none`: the partition is another's.
 * - `claiming`: the owner record with the next epoch is asked for.
 * - `opening`: the epoch's own entry is put behind whatever is last. From there on no older epoch appends.
 * - `loading`: the pieces of the snapshot that this entry names are read.
 * - `replaying`: all behind the snapshot, up to this entry, is read.
 * - `owning`: batches are taken, rows are flushed.
 */
export type OwnerPhase = 'none' | 'claiming' | 'opening' | 'loading' | 'replaying' | 'owning';

/** What is bounded, and by how much. */
export interface Limits {
  /** Rows of a batch at most. An entry that is too large for the log would block its partition for ever. */
  readonly batchRows: number;
  /** What an entry says of rows besides its batch: so many of them at most. */
  readonly noteRows: number;
  readonly statementRows: number;
  readonly pieceKeys: number;
  /** A snapshot is begun when so many entries stand behind the last one. */
  readonly snapshotEntries: number;
  /** Pending keys of a partition at most; not below `batchRows`. A batch that would add more waits. */
  readonly maxKeys: number;
}

/** Of what this process did with the partition, over all its epochs. */
export interface OwnerLedger {
  received: number;
  recovered: number;
  upserted: number;
  coalesced: number;
  deadLettered: number;
  handedOver: number;
}

export interface Appending {
  readonly entry: Entry;
  readonly expected: number;
  /** See `toConfirm`. */
  readonly round: number | undefined;
  sentMs: number;
  /** What came behind `expected` is read: it may be this entry, from a try whose answer was lost. */
  isRefused: boolean;
}

export interface Statement {
  readonly number: number;
  readonly rows: readonly StoredRow[];
  readonly sentMs: number;
}

/** What the store said of a row. */
export interface Outcome {
  readonly row: StoredRow;
  readonly isRefused: boolean;
}

/**
 * A snapshot on its way: its pieces are kept one after the other, beside appends; then the next entry publishes it. So
 * it is published under the condition under which entries are appended: no replaced owner publishes any.
 */
export interface Snapshot {
  readonly base: Base;
  /** That are pending or dead letters when it begins. What comes later is in entries behind it. */
  readonly keys: readonly number[];
  /** Entries that it covers, of those behind the last one. */
  readonly covers: number;
  /** Pieces that are kept. */
  kept: number;
  sending: { readonly piece: Piece; sentMs: number } | undefined;
}

/** One node as the owner of one partition. */
export interface Owner {
  readonly partition: number;
  readonly sender: Sender;
  readonly limits: Limits;
  readonly fenceKind: FenceKind;
  phase: OwnerPhase;
  epoch: number;
  /** Of the owner record that this epoch wrote. */
  revision: number;
  claimedMs: number;
  /** Sequence of the epoch's own entry. */
  openedAt: number;
  askedMs: number;
  fold: Fold;
  /** The newest snapshot, and how many entries stand behind it. */
  base: Base;
  length: number;
  loaded: number;
  appending: Appending | undefined;
  /** By node: what is to be journaled next. */
  readonly waiting: Map<number, Batch>;
  /** What the store said, not yet noted in the log. */
  outcomes: Outcome[];
  /** By key: what is to become of its dead letter. */
  readonly orders: Map<number, Order['kind']>;
  snapshot: Snapshot | undefined;
  snapshots: number;
  /** What `base` covers is to be removed, and that is not answered. */
  purgeMs: number | undefined;
  fence: Fence;
  statement: Statement | undefined;
  statements: number;
  /** Somebody may have taken over: the next entry will tell. */
  isDoubtful: boolean;
  /** It takes nothing more, and gives up when nothing is on its way. */
  isLeaving: boolean;
  readonly past: OwnerLedger;
}

export interface OwnerOptions {
  readonly sender: Sender;
  readonly limits: Limits;
  readonly fence: FenceKind;
}

export function newOwner(partition: number, { sender, limits, fence }: OwnerOptions): Owner {
  return {
    ...{ partition, sender, limits, fenceKind: fence, phase: 'none', epoch: 0, revision: 0, claimedMs: 0 },
    ...{ openedAt: 0, askedMs: 0, fold: emptyFold(), base: NO_BASE, length: 0, loaded: 0 },
    ...{ appending: undefined, waiting: new Map(), outcomes: [], orders: new Map() },
    ...{ snapshot: undefined, snapshots: 0, purgeMs: undefined },
    ...{ fence: newFence(fence, 0), statement: undefined, statements: 0 },
    ...{ isDoubtful: false, isLeaving: false },
    past: { received: 0, recovered: 0, upserted: 0, coalesced: 0, deadLettered: 0, handedOver: 0 },
  };
}

/**
 * The ledger of the present moment, with `pending`:
 * received + recovered = upserted + coalesced + deadLettered + handedOver + pending.
 */
export function ledgerOf({ past, phase, fold }: Owner): OwnerLedger & { readonly pending: number } {
  if (phase !== 'owning') return { ...past, pending: 0 };
  return {
    received: past.received + fold.received,
    recovered: past.recovered,
    upserted: past.upserted + fold.upserted,
    coalesced: past.coalesced + fold.coalesced,
    deadLettered: past.deadLettered + fold.deadLettered,
    handedOver: past.handedOver,
    pending: fold.pending.size,
  };
}

/** The partition is another's from now on. What is pending is in the log, for the next owner. */
export function standDown(owner: Owner): Effect[] {
  const wasOwning = owner.phase === 'owning';
  const { pending, handedOver, ...counts } = ledgerOf(owner);
  Object.assign(owner.past, counts, { handedOver: handedOver + pending });
  Object.assign(owner, { phase: 'none', appending: undefined, statement: undefined, outcomes: [] });
  Object.assign(owner, { snapshot: undefined, purgeMs: undefined, isDoubtful: false, isLeaving: false });
  owner.waiting.clear();
  owner.orders.clear();
  return wasOwning ? toStore(owner, [{ kind: 'close', session: owner.fence.session }]) : [];
}

export function askLog(owner: Owner, ask: LogAsk, nowMs: number): Effect[] {
  owner.askedMs = nowMs;
  return [{ to: 'log', partition: owner.partition, ask }];
}

export function readBehind(owner: Owner, after: number, nowMs: number): Effect[] {
  return askLog(owner, { kind: 'read', epoch: owner.epoch, after }, nowMs);
}

/** That a batch is in the log. */
export function reply({ partition }: Owner, { sender, id }: Batch): Effect {
  return { to: 'node', node: sender.node, message: { kind: 'journaled', partition, sender, id } };
}

export function toStore({ partition }: Owner, asks: readonly StoreAsk[]): Effect[] {
  return asks.map((ask) => ({ to: 'store', partition, ask }));
}
