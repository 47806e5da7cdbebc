/**
 * Pseudo-random numbers in [0, 1) that a seed repeats (mulberry32). Print the seed with whatever it decided, so that
 * a run can be repeated.
 *
 *     const random = seeded(20_261_122);
 *     if (random() < 0.3) throw new Error('three times in ten');
 */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
