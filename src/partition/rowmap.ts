import { CALLER, CMDID, IP, MODID, PORT, SINCE, SUCC, WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';

/** Columns of a row that a put copies; SINCE, the last word, is the owner's to keep. */
const COPIED_WORDS = WORDS_PER_ROW - 1;
const INITIAL_SLOTS = 64;
/** SINCE of a row whose owner has set none. */
const UNSET = 1;
/** SINCE of a slot whose row was removed. An owner that sets it so loses speed, and nothing else. */
const REMOVED = 0;
/** A map that is cleared this many times emptier than it has room for gives half of that back. */
const SPARSE = 8;

/**
 * Packed rows by key, newest value only: an open-addressing hash map over int32 words.
 *
 * A row keeps its slot as long as it is in the map, whatever happens to others, so owners may refer to rows by
 * slot (flush passes, snapshots that are taken while the map changes). There is no object and no string key per
 * row, neither to allocate nor to collect.
 *
 * Agents report all hosts of a service again and again, in the same order. So each slot remembers which one was put
 * after it the last time, and a put looks there first: five words that lie beside the last ones are compared, where
 * hashing and probing cost cache misses, and more than three times as long (`tools/bench/micro.ts`).
 */
export class RowMap {
  /** Row of slot s at `words[s * WORDS_PER_ROW]`. */
  words = new Int32Array(INITIAL_SLOTS * WORDS_PER_ROW);
  /** Slots 0 … high-1 were used; those removed since are on the free list. */
  high = 0;
  /** Rows in the map. */
  size = 0;
  /** Whether the last `put` found its key and replaced the value. */
  replaced = false;

  /** SINCE of the row that the last `remove` removed. */
  removedSince = UNSET;

  /** Pairs of (hash, slot + 1), linear probing; slot word 0 = empty. Half full at most. */
  #table = new Int32Array(INITIAL_SLOTS * 4);
  #mask = INITIAL_SLOTS * 2 - 1;
  /** The slot that was removed last, plus 1. Its word SUCC holds the one before, so that the list takes no memory. */
  #free = 0;
  /** Of each slot, the one that was put after it the last time. A guess, to be checked. */
  #after = new Int32Array(INITIAL_SLOTS);
  /** Slot of the last put. */
  #last = 0;

  /** Number of slots there is room for; grows by doubling, owners size their side arrays by it. */
  get capacity(): number {
    return this.words.length / WORDS_PER_ROW;
  }

  /** Stores the row at `from[at]` as the newest of its key and returns its slot. SINCE is left as it is (1 when new). */
  put(from: Int32Array, at: number): number {
    const guess = this.#after[this.#last]!;
    const words = this.words;
    const base = guess * WORDS_PER_ROW;
    if (guess < this.high && words[base + SINCE] !== REMOVED && sameKey(words, base, from, at)) {
      this.#last = guess;
      this.replaced = true;
      for (let word = WORDS_PER_KEY; word < COPIED_WORDS; word++) words[base + word] = from[at + word]!;
      return guess;
    }
    return this.#putByHash(from, at);
  }

  #putByHash(from: Int32Array, at: number): number {
    const hash = hashKey(from, at);
    let entry = this.#probe(hash, from, at);
    let slot = this.#table[entry * 2 + 1]! - 1;
    this.replaced = slot >= 0;
    if (slot < 0) {
      slot = this.#free - 1;
      if (slot >= 0) this.#free = this.words[slot * WORDS_PER_ROW + SUCC]!;
      else {
        slot = this.high;
        if (slot === this.capacity) {
          this.#grow();
          entry = this.#probe(hash, from, at);
        }
        this.high++;
      }
      this.#table[entry * 2] = hash;
      this.#table[entry * 2 + 1] = slot + 1;
      this.size++;
      this.words[slot * WORDS_PER_ROW + SINCE] = UNSET;
    }
    const words = this.words;
    const to = slot * WORDS_PER_ROW;
    for (let word = 0; word < COPIED_WORDS; word++) words[to + word] = from[at + word]!;
    this.#after[this.#last] = slot;
    this.#last = slot;
    return slot;
  }

  /** Slot of the key at `key[at]`, or -1. */
  find(key: Int32Array, at: number): number {
    return this.#table[this.#probe(hashKey(key, at), key, at) * 2 + 1]! - 1;
  }

  /** Removes the key at `key[at]` and returns the slot it had, or -1 when it is not in the map. */
  remove(key: Int32Array, at: number): number {
    const table = this.#table;
    const mask = this.#mask;
    let hole = this.#probe(hashKey(key, at), key, at);
    const slot = table[hole * 2 + 1]! - 1;
    if (slot < 0) return -1;
    // Backward shift: move up every later entry of the cluster that its own home position allows, so that no
    // tombstones are left to slow down probes.
    for (let next = (hole + 1) & mask; table[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = table[next * 2]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        table[hole * 2] = table[next * 2]!;
        table[hole * 2 + 1] = table[next * 2 + 1]!;
        hole = next;
      }
    }
    table[hole * 2 + 1] = 0;
    const since = slot * WORDS_PER_ROW + SINCE;
    this.removedSince = this.words[since]!;
    this.words[since] = REMOVED;
    this.words[slot * WORDS_PER_ROW + SUCC] = this.#free;
    this.#free = slot + 1;
    this.size--;
    if (this.size === 0) this.clear();
    return slot;
  }

  /** The rows in the order they came, in the map's own memory: valid until it is changed. Not after a `remove`. */
  rows(): Int32Array {
    return this.words.subarray(0, this.size * WORDS_PER_ROW);
  }

  /**
   * Forgets all rows. Room for as many is kept, since growing from scratch would cost the next ones twice; a map
   * that has far more gives half of it back, so that a burst is forgotten after a few times.
   */
  clear(): void {
    const isSparse = this.capacity > INITIAL_SLOTS && this.high * SPARSE < this.capacity;
    this.size = 0;
    this.high = 0;
    this.#last = 0;
    this.#free = 0;
    if (isSparse) {
      const slots = this.capacity / 2;
      this.words = new Int32Array(slots * WORDS_PER_ROW);
      this.#after = new Int32Array(slots);
      this.#table = new Int32Array(slots * 4);
      this.#mask = slots * 2 - 1;
    } else {
      this.#table.fill(0);
    }
  }

  /** Entry that holds the key, or the empty one where it belongs. */
  #probe(hash: number, key: Int32Array, at: number): number {
    const table = this.#table;
    const mask = this.#mask;
    const words = this.words;
    let entry = hash & mask;
    for (;;) {
      const slot = table[entry * 2 + 1]! - 1;
      if (slot < 0) return entry;
      if (table[entry * 2] === hash && sameKey(words, slot * WORDS_PER_ROW, key, at)) return entry;
      entry = (entry + 1) & mask;
    }
  }

  #grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const after = new Int32Array(this.#after.length * 2);
    after.set(this.#after);
    this.#after = after;
    const old = this.#table;
    const table = new Int32Array(old.length * 2);
    const mask = this.#mask * 2 + 1;
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

/** Hosts of a service differ in their addresses first of all. */
function sameKey(a: Int32Array, atA: number, b: Int32Array, atB: number): boolean {
  return (
    a[atA + IP] === b[atB + IP] &&
    a[atA + PORT] === b[atB + PORT] &&
    a[atA + CMDID] === b[atB + CMDID] &&
    a[atA + MODID] === b[atB + MODID] &&
    a[atA + CALLER] === b[atB + CALLER]
  );
}

// Differs from process to process, so that nobody can choose keys that all fall on one place.
const SEED = (Math.random() * 0x1_0000_0000) | 0;

/** Mixes the five key words as murmur3 does its blocks. Internal to the map: partitions are chosen elsewhere. */
function hashKey(words: Int32Array, at: number): number {
  let hash = SEED;
  for (let word = 0; word < WORDS_PER_KEY; word++) {
    const block = Math.imul(words[at + word]!, 0xcc9e2d51);
    hash ^= Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
