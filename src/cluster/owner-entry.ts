import type { Batch, Entry, Row } from './cluster-messages.js';
import { newKeysOf, standingOf } from './fold.js';
import { toConfirm } from './owner-fence.js';
import { toPublish } from './owner-snapshot.js';
import type { Owner } from './owner-state.js';

/** The first entry of an epoch. */
export function openingEntry({ epoch, base }: Owner): Entry {
  return { epoch, base, batch: undefined, confirmed: [], refused: [], replayed: [], released: [] };
}

/** The next entry, if there is anything to say that does not wait. */
export function nextEntry(owner: Owner): Entry | undefined {
  const batch = takeBatch(owner);
  const ordered = takeOrders(owner, batch);
  const isOrdered = ordered.replayed.length + ordered.released.length > 0;
  const isAsked = owner.isDoubtful || toConfirm(owner.fence) !== undefined || toPublish(owner) !== undefined;
  const isLast = owner.isLeaving && owner.outcomes.length > 0;
  return batch || isOrdered || isAsked || isLast ? entryOf(owner, batch, ordered) : undefined;
}

/** What the store said goes along with batches; where none comes, in an entry of its own. */
export function entryOfOutcomes(owner: Owner): Entry | undefined {
  return owner.outcomes.length === 0 ? undefined : entryOf(owner, undefined, { replayed: [], released: [] });
}

type Ordered = Pick<Entry, 'replayed' | 'released'>;

/** What becomes of rows is decided here, where it is known what is pending. */
function entryOf(owner: Owner, batch: Batch | undefined, ordered: Ordered): Entry {
  const { epoch, fold, limits } = owner;
  const noted = owner.outcomes.splice(0, limits.noteRows);
  const confirmed = noted
    .filter(({ isRefused }) => !isRefused)
    .map(({ row: { key, sequence } }) => ({ key, sequence }));
  // Where a newer value of the key is pending, the refused one was replaced, and is no dead letter.
  const refused = noted
    .filter(({ row, isRefused }) => isRefused && fold.pending.get(row.key)?.sequence === row.sequence)
    .map(({ row }) => row);
  return { epoch, base: toPublish(owner) ?? owner.base, batch, confirmed, refused, ...ordered };
}

/** The first batch that waits and for which there is room. */
function takeBatch({ waiting, fold, limits }: Owner): Batch | undefined {
  for (const [node, batch] of waiting) {
    const isNext = standingOf(fold, batch) === 'next';
    const added = newKeysOf(fold, batch);
    if (isNext && added > 0 && fold.pending.size + added > limits.maxKeys) continue;
    waiting.delete(node);
    if (isNext) return batch;
  }
  return undefined;
}

/** Dead letters whose orders can be carried out in this entry. */
function takeOrders({ orders, outcomes, fold, limits }: Owner, batch: Batch | undefined): Ordered {
  const replayed: Row[] = [];
  const released: number[] = [];
  let notes = limits.noteRows - outcomes.length;
  let keys = limits.maxKeys - fold.pending.size - (batch ? newKeysOf(fold, batch) : 0);
  for (const [key, kind] of orders) {
    const dead = fold.deadLetters.get(key);
    const isReplay = dead !== undefined && kind === 'replay' && !fold.pending.has(key);
    if (notes <= 0 || (isReplay && keys <= 0)) continue;
    orders.delete(key);
    if (!dead) continue;
    notes--;
    // A value that is pending is newer: nothing steps back.
    if (!isReplay) released.push(key);
    else {
      keys--;
      replayed.push({ key, value: dead.value });
    }
  }
  return { replayed, released };
}
