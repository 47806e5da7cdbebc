/**
 * The candidate that `text` was most likely meant to be; undefined when none is near. `nameOf` gives other
 * spellings under which a candidate is meant, such as its last part.
 */
export function nearest(
  text: string,
  candidates: Iterable<string>,
  spellings: (candidate: string) => readonly string[] = (candidate) => [candidate],
): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    for (const spelling of spellings(candidate)) {
      const allowed = Math.max(1, Math.min(4, Math.floor(spelling.length / 3)));
      const distance = editDistance(text.toLowerCase(), spelling.toLowerCase());
      if (distance <= allowed && distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
  }
  return best;
}

/** How many letters must be put in, taken out or replaced to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  // A long text is never near; it is not worth its table.
  if (Math.abs(a.length - b.length) > 4) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
