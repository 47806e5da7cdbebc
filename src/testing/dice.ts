/** Whole numbers of chance that a seed repeats (mulberry32): cheap enough for a million streams. */
export class Dice {
  #state: number;

  /** `seed`: int32; other numbers are cut to one. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits, 0 … 2^32-1. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 … limit-1; 0 when the limit is below 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 0x1_0000_0000) * Math.max(1, limit));
  }

  /** from … to, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True `times` in `outOf`. */
  chance(times: number, outOf: number): boolean {
    return this.below(outOf) < times;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.bits();
    return bytes;
  }
}
