import type { Chunk } from '../partition/chunk.js';
import type { PendingRows } from '../partition/pending.js';

/** Batches of one writer that are followed at once, at most: while the store is away, further ones are not. */
const MAX_FOLLOWED = 8;

/** A batch on its way to the store. */
interface Followed {
  /** Where those of its rows stand that are neither stored nor refused. */
  readonly slots: Set<number>;
  /** Chunks that were taken before it came, and hold older values. */
  readonly earlier: ReadonlySet<number>;
  refused: number;
}

/** A batch that has no row left on its way. */
export interface Arrival {
  readonly batchId: number;
  /** Rows of it that the store refuses. */
  readonly refused: number;
}

/**
 * Follows single batches until the store has them: of each key the value of the batch, or a newer one. Costs nothing
 * while none is followed; where each row of one stands is remembered.
 */
export class FollowedBatches {
  readonly #batches = new Map<number, Followed>();

  has(batchId: number): boolean {
    return this.#batches.has(batchId);
  }

  /** Follows a batch whose packed rows were folded just now, if there is room for one more and it has any. */
  add(batchId: number, rows: Int32Array, pending: PendingRows): void {
    if (this.#batches.size >= MAX_FOLLOWED || rows.length === 0) return;
    const { slots, inFlight } = pending.trail(rows);
    this.#batches.set(batchId, { slots, earlier: inFlight, refused: 0 });
  }

  /** The batches that the chunk has rows of, as events have them: nothing when there are none. */
  carriedBy({ id, slots }: Chunk): { readonly batches?: readonly number[] } {
    if (this.#batches.size === 0) return {};
    const batches = [...this.#batches]
      .filter(([, followed]) => !followed.earlier.has(id) && slots.some((slot) => followed.slots.has(slot)))
      .map(([batchId]) => batchId);
    return batches.length > 0 ? { batches } : {};
  }

  /** The store has the chunk, or refuses it. Returns the batches that are followed no longer. */
  settled({ id, slots }: Chunk, isRefused: boolean): readonly Arrival[] {
    const arrivals: Arrival[] = [];
    for (const [batchId, followed] of this.#batches) {
      if (followed.earlier.has(id)) continue;
      for (const slot of slots) if (followed.slots.delete(slot) && isRefused) followed.refused++;
      if (followed.slots.size > 0) continue;
      this.#batches.delete(batchId);
      arrivals.push({ batchId, refused: followed.refused });
    }
    return arrivals;
  }
}
