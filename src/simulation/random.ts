/** 32 well mixed bits of two numbers: the same for the same two. */
export function mix32(seed: number, index: number): number {
  let mixed = (Math.imul(seed | 0, 0x9e3779b1) + Math.imul(index | 0, 0x85ebca6b)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Pseudo-random numbers in [0, 1) that a seed repeats. */
export function seededRandom(seed: number): () => number {
  let count = 0;
  return () => mix32(seed, ++count) / 0x1_0000_0000;
}
