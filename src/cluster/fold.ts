import type { Batch, Entry, Piece, Placed, Sent, StoredRow } from './cluster-messages.js';

/** What the log of a partition comes to, up to a sequence. Nothing but applying pieces and entries changes it. */
export interface Fold {
  /** Of the last entry applied. */
  sequence: number;
  readonly pending: Map<number, StoredRow>;
  /** Rows that the store refused, the newest of each key. A key may have a newer value pending. */
  readonly deadLetters: Map<number, StoredRow>;
  /** By node: the last batch of its newest life that is known here. */
  readonly senders: Map<number, Sent>;
  received: number;
  coalesced: number;
  upserted: number;
  deadLettered: number;
}

export function emptyFold(): Fold {
  return {
    ...{ sequence: 0, pending: new Map(), deadLetters: new Map(), senders: new Map() },
    ...{ received: 0, coalesced: 0, upserted: 0, deadLettered: 0 },
  };
}

export function applyPiece({ pending, deadLetters, senders }: Fold, piece: Piece): void {
  for (const row of piece.rows) pending.set(row.key, row);
  for (const row of piece.deadLetters) deadLetters.set(row.key, row);
  for (const sent of piece.senders) senders.set(sent.node, sent);
}

/** Of some keys, and all senders, as they are now. */
export function pieceOf({ pending, deadLetters, senders }: Fold, keys: readonly number[]): Piece {
  return {
    rows: keys.flatMap((key) => pending.get(key) ?? []),
    deadLetters: keys.flatMap((key) => deadLetters.get(key) ?? []),
    senders: [...senders.values()],
  };
}

export function applyEntry(fold: Fold, { sequence, entry }: Placed): void {
  const { deadLetters } = fold;
  fold.sequence = sequence;
  // Before what is refused: that is newer, and is not released with them.
  for (const { key } of entry.replayed) deadLetters.delete(key);
  for (const key of entry.released) deadLetters.delete(key);
  receive(fold, entry.replayed, sequence);
  applyOutcomes(fold, entry);
  const { batch } = entry;
  if (!batch) return;
  receive(fold, batch.rows, sequence);
  fold.senders.set(batch.sender.node, { ...batch.sender, id: batch.id });
}

function receive(fold: Fold, rows: Batch['rows'], sequence: number): void {
  for (const { key, value } of rows) {
    if (fold.pending.has(key)) fold.coalesced++;
    fold.pending.set(key, { key, value, sequence });
  }
  fold.received += rows.length;
}

function applyOutcomes(fold: Fold, { confirmed, refused }: Entry): void {
  const { pending, deadLetters } = fold;
  for (const { key, sequence } of confirmed) {
    const dead = deadLetters.get(key);
    if (dead && dead.sequence < sequence) deadLetters.delete(key);
    // A newer value of the key has come meanwhile: that one is still to be stored.
    if (pending.get(key)?.sequence !== sequence) continue;
    pending.delete(key);
    fold.upserted++;
  }
  for (const row of refused) {
    deadLetters.set(row.key, row);
    if (pending.get(row.key)?.sequence === row.sequence) pending.delete(row.key);
    fold.deadLettered++;
  }
}

/** What a batch is to the log: `next` is to be journaled, `known` is. Any other comes too late or too early. */
export function standingOf(fold: Fold, { sender, id }: Batch): 'next' | 'known' | 'other' {
  const last = fold.senders.get(sender.node) ?? { life: 0, id: 0 };
  // What an earlier life sent and nobody journaled in time is older than what this one did.
  if (sender.life < last.life) return 'other';
  const lastId = sender.life === last.life ? last.id : 0;
  if (id <= lastId) return 'known';
  return id === lastId + 1 ? 'next' : 'other';
}

/** How many keys a batch would add to those that are pending. */
export function newKeysOf({ pending }: Fold, { rows }: Batch): number {
  return rows.filter(({ key }) => !pending.has(key)).length;
}
