import type { Batch, Entry, StoredRow } from './cluster-messages.js';

/** What the log of a partition comes to, up to a sequence. Nothing but applying an entry changes it. */
export interface Fold {
  /** Of the last entry applied. */
  sequence: number;
  readonly pending: Map<number, StoredRow>;
  /** By node: its newest life that is known here, and the last batch of it. */
  readonly senders: Map<number, { readonly life: number; readonly id: number }>;
  received: number;
  coalesced: number;
  upserted: number;
}

export function emptyFold(): Fold {
  return { sequence: 0, pending: new Map(), senders: new Map(), received: 0, coalesced: 0, upserted: 0 };
}

export function applyEntry(fold: Fold, { batch, confirmed }: Entry): void {
  const sequence = ++fold.sequence;
  for (const one of confirmed) {
    // A newer value of the key has come meanwhile: that one is still to be stored.
    if (fold.pending.get(one.key)?.sequence !== one.sequence) continue;
    fold.pending.delete(one.key);
    fold.upserted++;
  }
  if (!batch) return;
  for (const { key, value } of batch.rows) {
    if (fold.pending.has(key)) fold.coalesced++;
    fold.pending.set(key, { key, value, sequence });
  }
  fold.received += batch.rows.length;
  fold.senders.set(batch.sender.node, { life: batch.sender.life, id: batch.id });
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
