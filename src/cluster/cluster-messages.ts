/**
 * What the machines of a cluster say to each other, to the replicated log, to the bucket of leases and owners, and to
 * the store. Effects go out, inputs come in; whoever runs a member carries them, and may lose, double, delay and
 * reorder what goes over a network.
 */

/** A process of a node: batch ids mean something only together with it. */
export interface Sender {
  readonly node: number;
  /** Rises with each start of the node. */
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

/** An entry of the log of a partition. The first of an epoch has no batch: from then on no older epoch appends. */
export interface Entry {
  readonly epoch: number;
  readonly batch: Batch | undefined;
  readonly confirmed: readonly Confirmed[];
}

export type PeerMessage =
  | { readonly kind: 'batch'; readonly partition: number; readonly batch: Batch }
  | { readonly kind: 'journaled'; readonly partition: number; readonly sender: Sender; readonly id: number };

/** Each answer names the epoch that asked; an owner passes over answers to an earlier one. */
export type LogAsk =
  /** Accepted when the last sequence is `expected`; a log without entries has 0. */
  | { readonly kind: 'append'; readonly epoch: number; readonly expected: number; readonly entry: Entry }
  | { readonly kind: 'last'; readonly epoch: number }
  /** Entries from a sequence on, some of them. */
  | { readonly kind: 'read'; readonly epoch: number; readonly from: number };

export type LogAnswer =
  | { readonly kind: 'appended'; readonly epoch: number; readonly expected: number }
  | { readonly kind: 'refused'; readonly epoch: number; readonly expected: number }
  | { readonly kind: 'last'; readonly epoch: number; readonly sequence: number; readonly lastEpoch: number }
  | {
      readonly kind: 'entries';
      readonly epoch: number;
      readonly from: number;
      readonly entries: readonly Entry[];
    };

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

/** A row as it is stored: the sequence of its entry says how new it is. */
export interface StoredRow extends Row {
  readonly sequence: number;
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
  | { readonly kind: 'written'; readonly session: Session; readonly number: number }
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
  | { readonly to: 'agents'; readonly partition: number; readonly id: number };

export type Input =
  | { readonly from: 'agents'; readonly partition: number; readonly rows: readonly Row[] }
  | { readonly from: 'node'; readonly message: PeerMessage }
  | { readonly from: 'log'; readonly partition: number; readonly answer: LogAnswer }
  | { readonly from: 'bucket'; readonly answer: BucketAnswer }
  | { readonly from: 'store'; readonly partition: number; readonly answer: StoreAnswer }
  /** Time has passed. What is due is done; to come every few hundred ms. */
  | { readonly from: 'clock' }
  /** A partition is to be given up in order. */
  | { readonly from: 'operator'; readonly partition: number };
