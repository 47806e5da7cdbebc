/** Rows do not jump under the pointer: while it is in the table, the order of before stays, and what waits is counted. */
export interface CalmOrder {
  readonly shown: readonly string[];
  /** Rows that would stand elsewhere, come, or go. */
  readonly waiting: number;
}

/**
 * What to show when the order is to be `wanted`. While `held`, rows stay where they are; those that are no longer
 * there stay, too, as long as `has` says that there is something to show of them.
 */
export function calmOrder(
  shown: readonly string[],
  wanted: readonly string[],
  held: boolean,
  has: (id: string) => boolean = () => true,
): CalmOrder {
  if (!held || shown.length === 0) return { shown: wanted, waiting: 0 };
  const kept = shown.filter(has);
  const isShown = new Set(kept);
  const isWanted = new Set(wanted);
  const come = wanted.filter((id) => !isShown.has(id)).length;
  const gone = shown.filter((id) => !isWanted.has(id)).length;
  return { shown: kept, waiting: come + gone + moved(kept, wanted) };
}

/** The fewest rows that have to move: all but the longest run that is in order already. */
function moved(shown: readonly string[], wanted: readonly string[]): number {
  const place = new Map(wanted.map((id, index) => [id, index]));
  const places = shown.map((id) => place.get(id)).filter((index) => index !== undefined);
  // The last element of the best run of each length.
  const ends: number[] = [];
  for (const index of places) {
    const at = ends.findIndex((end) => end >= index);
    if (at < 0) ends.push(index);
    else ends[at] = index;
  }
  return places.length - ends.length;
}
