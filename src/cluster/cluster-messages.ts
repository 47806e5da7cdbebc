/**
 * What the machines of a cluster say to each other, to the replicated log, to the bucket of leases and owners, and to
 * the store. Effects go out, inputs come in; whoever runs a member carries them, and may lose, double, delay and
 * reorder what goes over a network.
 */

/** A process of a node: batch ids mean something only together with it. */
export interface Sender {
  readonly node: number;
  /** Rises with each start of the node: see `join`. */
  readonly life: number;
}

export interface Row {
  readonly key: number;
  readonly value: number;
}

export interface Batch {
  readonly sender: Sender;
  /** From 1, without a gap, for each sender and partition. */
  readonly id: number;
  readonly rows: readonly Row[];
}

/** The store has the value that the entry of this sequence gave the key. */
export interface Confirmed {
  readonly key: number;
  readonly sequence: number;
}

/** A row as it is stored: the sequence of its entry says how new it is. */
export interface StoredRow extends Row {
  readonly sequence: number;
}

/** Names a snapshot, whose pieces are kept beside the log. */
export interface Base {
  /** Snapshots are ordered by the epoch that made them, then by number. */
  readonly epoch: number;
  readonly number: number;
  readonly pieces: number;
  /** Entries up to here are in it. */
  readonly sequence: number;
}

/** Nothing is in it, and a log that has no snapshot begins there. */
export const NO_BASE: Base = { epoch: 0, number: 0, pieces: 0, sequence: 0 };

/** What a snapshot holds of some keys, read at one moment: at that of its base's sequence, or later. */
export interface Piece {
  readonly rows: readonly StoredRow[];
  readonly deadLetters: readonly StoredRow[];
  readonly senders: readonly Sent[];
}

/** The last batch of a sender that is in the log. */
export interface Sent extends Sender {
  readonly id: number;
}

/**
 * An entry of the log of a partition. The first of an epoch says nothing but that: from then on no older epoch appends.
 *
 * It says what has become of rows, and applying it decides nothing: so it can be applied to a snapshot of which some
 * keys are newer than the entry.
 */
export interface Entry {
  readonly epoch: number;
  /** The newest snapshot. An entry that names another one than the entry before publishes it. */
  readonly base: Base;
  readonly batch: Batch | undefined;
  readonly confirmed: readonly Confirmed[];
  /** Pending before; they become dead letters. */
  readonly refused: readonly StoredRow[];
  /** Dead letters that become pending again. */
  readonly replayed: readonly Row[];
  /** Keys whose dead letters go. */
  readonly released: readonly number[];
}

/** An entry in its place. Sequences rise, and have gaps: other logs and pieces are counted with them. */
export interface Placed {
  readonly sequence: number;
  /** Of the entry before, when it was appended; 0 for the first. */
  readonly behind: number;
  readonly entry: Entry;
}

export type PeerMessage =
  | { readonly kind: 'batch'; readonly partition: number; readonly batch: Batch }
  | { readonly kind: 'journaled'; readonly partition: number; readonly sender: Sender; readonly id: number };

/** Each answer names the epoch that asked; an owner passes over answers to an earlier one. */
export type LogAsk =
  /** Accepted when the last sequence is `expected`; a log without entries has 0. */
  | { readonly kind: 'append'; readonly epoch: number; readonly expected: number; readonly entry: Entry }
  | { readonly kind: 'last'; readonly epoch: number }
  /** Entries behind a sequence, some of them. */
  | { readonly kind: 'read'; readonly epoch: number; readonly after: number }
  /** Keeps a piece of a snapshot; nobody reads it before the snapshot is published. */
  | {
      readonly kind: 'keep';
      readonly epoch: number;
      readonly base: Base;
      readonly index: number;
      readonly piece: Piece;
    }
  | { readonly kind: 'piece'; readonly epoch: number; readonly base: Base; readonly index: number }
  /** Removes the entries that a published snapshot covers, and snapshots before it; never anything later. */
  | { readonly kind: 'purge'; readonly epoch: number; readonly base: Base };

export type LogAnswer =
  | {
      readonly kind: 'appended';
      readonly epoch: number;
      readonly expected: number;
      readonly sequence: number;
    }
  | { readonly kind: 'refused'; readonly epoch: number; readonly expected: number }
  | { readonly kind: 'last'; readonly epoch: number; readonly last: Placed | undefined }
  | {
      readonly kind: 'entries';
      readonly epoch: number;
      readonly after: number;
      readonly entries: readonly Placed[];
    }
  | { readonly kind: 'kept'; readonly epoch: number; readonly base: Base; readonly index: number }
  | {
      readonly kind: 'piece';
      readonly epoch: number;
      readonly base: Base;
      readonly index: number;
      /** Undefined: it was removed, or is not seen yet. */
      readonly piece: Piece | undefined;
    }
  | { readonly kind: 'purged'; readonly epoch: number; readonly base: Base };

/** What a node writes as its lease. No time: another's clock says nothing. */
export interface LeaseValue {
  readonly life: number;
}

export interface LeaseRecord extends LeaseValue {
  /** Of the bucket: rises with each write of the record. 0: there is none. */
  readonly revision: number;
}

export interface OwnerRecord {
  /** Undefined: given up in order. */
  readonly owner: Sender | undefined;
  readonly epoch: number;
  readonly revision: number;
}

/** Writes are conditional on the revision that they replace. */
export type BucketAsk =
  | { readonly kind: 'look'; readonly number: number }
  | { readonly kind: 'renew'; readonly revision: number; readonly value: LeaseValue }
  | {
      readonly kind: 'claim';
      readonly partition: number;
      readonly revision: number;
      readonly epoch: number;
      /** Undefined: the partition is given up. */
      readonly owner: Sender | undefined;
      /** The lease that had not moved, where that is why. */
      readonly lapsed?: { readonly node: number; readonly revision: number };
    };

export type BucketAnswer =
  | {
      readonly kind: 'seen';
      readonly number: number;
      /** By node. */
      readonly leases: readonly LeaseRecord[];
      /** By partition. */
      readonly owners: readonly OwnerRecord[];
    }
  | {
      readonly kind: 'renewed';
      /** That the write expected. */
      readonly expected: number;
      readonly isTaken: boolean;
      /** What stands there now, whether or not it was taken. */
      readonly record: LeaseRecord;
    }
  | {
      readonly kind: 'claimed';
      readonly partition: number;
      readonly epoch: number;
      /** Of the record, where the claim was taken. */
      readonly revision: number | undefined;
    };

/** A connection of an owner to the store. */
export interface Session {
  readonly epoch: number;
  readonly count: number;
}

export type StoreAsk =
  | { readonly kind: 'lock'; readonly session: Session }
  | { readonly kind: 'kill'; readonly session: Session; readonly victim: Session }
  | { readonly kind: 'close'; readonly session: Session }
  /** Sets the epoch of the fence row, unless it is higher. */
  | { readonly kind: 'raise'; readonly epoch: number }
  | {
      readonly kind: 'write';
      readonly session: Session;
      /** Of the fence row: written only where it has this epoch and this count, which rises with it. */
      readonly count: number | undefined;
      /** Tells tries apart. */
      readonly number: number;
      readonly rows: readonly StoredRow[];
    };

export type StoreAnswer =
  | { readonly kind: 'locked'; readonly session: Session }
  | { readonly kind: 'held'; readonly session: Session; readonly holder: Session }
  /** The session is no more; what it had on its way and is not done never will be. */
  | { readonly kind: 'ended'; readonly session: Session }
  /** What stands in the fence row. */
  | { readonly kind: 'raised'; readonly epoch: number; readonly count: number }
  | {
      readonly kind: 'written';
      readonly session: Session;
      readonly number: number;
      /** Keys whose rows the store does not take, because of what they hold. */
      readonly refused: readonly number[];
    }
  | {
      readonly kind: 'fenced';
      readonly session: Session;
      readonly number: number;
      readonly epoch: number;
      readonly count: number;
    };

export type Effect =
  | { readonly to: 'node'; readonly node: number; readonly message: PeerMessage }
  | { readonly to: 'log'; readonly partition: number; readonly ask: LogAsk }
  | { readonly to: 'bucket'; readonly ask: BucketAsk }
  | { readonly to: 'store'; readonly partition: number; readonly ask: StoreAsk }
  /** Credit of the batch is paid back: it is journaled. */
  | { readonly to: 'agents'; readonly partition: number; readonly id: number }
  /** A later process of the node has its lease: this one is to end. What it sends is journaled no more. */
  | { readonly to: 'process'; readonly order: 'end' };

export type Input =
  | { readonly from: 'agents'; readonly partition: number; readonly rows: readonly Row[] }
  | { readonly from: 'node'; readonly message: PeerMessage }
  | { readonly from: 'log'; readonly partition: number; readonly answer: LogAnswer }
  | { readonly from: 'bucket'; readonly answer: BucketAnswer }
  | { readonly from: 'store'; readonly partition: number; readonly answer: StoreAnswer }
  /** Time has passed. What is due is done; to come every few hundred ms. */
  | { readonly from: 'clock' }
  | { readonly from: 'operator'; readonly partition: number; readonly order: Order };

export type Order =
  /** The partition is to be given up in order. */
  | { readonly kind: 'give-up' }
  /** The dead letter of a key is to be tried again, or forgotten. */
  | { readonly kind: 'replay' | 'drop'; readonly key: number };
