import { Dice } from './dice.js';

/**
 * Pseudo-random numbers in [0, 1) that a seed repeats (mulberry32). Print the seed with whatever it decided, so that
 * a run can be repeated.
 *
 *     const random = seeded(20_261_122);
 *     if (random() < 0.3) throw new Error('three times in ten');
 */
export function seeded(seed: number): () => number {
  const dice = new Dice(seed);
  return () => dice.bits() / 0x1_0000_0000;
}
