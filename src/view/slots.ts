const INITIAL_RECORDS = 64;

/**
 * Numbered records by key: an open-addressing hash map over int32 words. The first `keyWords` words of a record are
 * its key, the others are the owner's. A record keeps its number until it is removed; numbers are used again, so
 * owners keep more about a record in columns beside it. No object and no string a record.
 */
export class Records {
  /** Record n at `words[n * stride]`. */
  words: Int32Array;
  /** 1 for numbers that are in use. */
  used = new Uint8Array(INITIAL_RECORDS);
  /** Numbers 0 … high-1 were used. */
  high = 0;
  /** Records there are. */
  size = 0;
  readonly stride: number;
  readonly #keyWords: 1 | 2 | 4;
  /** Pairs of (hash, number + 1), linear probing; half full at most. */
  #table = new Int32Array(INITIAL_RECORDS * 4);
  #mask = INITIAL_RECORDS * 2 - 1;
  readonly #free: number[] = [];

  constructor(keyWords: 1 | 2 | 4, stride: number = keyWords) {
    this.#keyWords = keyWords;
    this.stride = stride;
    this.words = new Int32Array(INITIAL_RECORDS * stride);
  }

  /** Records there is room for; grows by doubling, owners size their columns by it. */
  get capacity(): number {
    return this.used.length;
  }

  /** Number of the record with this key, or -1. */
  find(a: number, b = 0, c = 0, d = 0): number {
    return this.#table[this.#probe(hashKey(a, b, c, d), a, b, c, d) * 2 + 1]! - 1;
  }

  /** A new record with this key, which is not there yet; its other words are 0. */
  add(a: number, b = 0, c = 0, d = 0): number {
    const number = this.#free.pop() ?? this.high;
    if (number === this.high) {
      if (number === this.capacity) this.#grow();
      this.high++;
    }
    const base = number * this.stride;
    const { words } = this;
    words.fill(0, base, base + this.stride);
    words[base] = a;
    if (this.#keyWords > 1) words[base + 1] = b;
    if (this.#keyWords > 2) {
      words[base + 2] = c;
      words[base + 3] = d;
    }
    const hash = hashKey(a, b, c, d);
    const entry = this.#probe(hash, a, b, c, d);
    this.#table[entry * 2] = hash;
    this.#table[entry * 2 + 1] = number + 1;
    this.used[number] = 1;
    this.size++;
    return number;
  }

  remove(number: number): void {
    const table = this.#table;
    const mask = this.#mask;
    const { words } = this;
    const base = number * this.stride;
    const b = this.#keyWords > 1 ? words[base + 1]! : 0;
    const [c, d] = this.#keyWords > 2 ? [words[base + 2]!, words[base + 3]!] : [0, 0];
    let hole = this.#probe(hashKey(words[base]!, b, c, d), words[base]!, b, c, d);
    // Backward shift, so that no tombstones slow down probes.
    for (let next = (hole + 1) & mask; table[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = table[next * 2]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        table[hole * 2] = table[next * 2]!;
        table[hole * 2 + 1] = table[next * 2 + 1]!;
        hole = next;
      }
    }
    table[hole * 2 + 1] = 0;
    this.used[number] = 0;
    this.#free.push(number);
    this.size--;
  }

  /** Entry that holds the key, or the empty one where it belongs. */
  #probe(hash: number, a: number, b: number, c: number, d: number): number {
    const table = this.#table;
    const mask = this.#mask;
    const { words, stride } = this;
    const keyWords = this.#keyWords;
    let entry = hash & mask;
    for (;;) {
      const number = table[entry * 2 + 1]! - 1;
      if (number < 0) return entry;
      if (table[entry * 2] === hash) {
        const base = number * stride;
        if (
          words[base] === a &&
          (keyWords === 1 || words[base + 1] === b) &&
          (keyWords < 4 || (words[base + 2] === c && words[base + 3] === d))
        )
          return entry;
      }
      entry = (entry + 1) & mask;
    }
  }

  #grow(): void {
    const capacity = this.capacity * 2;
    const words = new Int32Array(capacity * this.stride);
    words.set(this.words);
    this.words = words;
    const used = new Uint8Array(capacity);
    used.set(this.used);
    this.used = used;
    const old = this.#table;
    const table = new Int32Array(capacity * 4);
    const mask = capacity * 2 - 1;
    for (let index = 0; index < old.length; index += 2) {
      if (old[index + 1] === 0) continue;
      let entry = old[index]! & mask;
      while (table[entry * 2 + 1] !== 0) entry = (entry + 1) & mask;
      table[entry * 2] = old[index]!;
      table[entry * 2 + 1] = old[index + 1]!;
    }
    this.#table = table;
    this.#mask = mask;
  }
}

// Differs from process to process, so that nobody can choose keys that all fall on one place.
const SEED = (Math.random() * 0x1_0000_0000) | 0;

/** As murmur3 mixes its blocks. */
function hashKey(a: number, b: number, c: number, d: number): number {
  let hash = mixBlock(SEED, a);
  hash = mixBlock(hash, b);
  hash = mixBlock(hash, c);
  hash = mixBlock(hash, d);
  return mixBits(hash);
}

function mixBlock(hash: number, word: number): number {
  const block = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((block << 15) | (block >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Spreads 32 bits over 32 bits, the same way in every process. */
export function mixBits(bits: number): number {
  let hash = bits ^ (bits >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
