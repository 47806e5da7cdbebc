import { RowBatch, SINCE, TAG, WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';
import { Ages } from './ages.js';
import type { Chunk } from './chunk.js';
import { ASIDE, FREE, Marks, RESTING, STORED, WAITING } from './marks.js';
import { Owners } from './owners.js';
import { Pass } from './pass.js';
import { type Rest, Rests } from './rests.js';
import { RowMap } from './rowmap.js';

/** A chunk's id and a flag fit into an int32. */
const LAST_CHUNK = 0x3fffffff;
/** No row rests. */
const NO_RESTS: RestLimits = { restMs: 0, maxResting: 0 };

/** How long keys rest. */
export interface RestLimits {
  /** A key that was stored is sent again after so many milliseconds at the earliest; 0 = at once. */
  readonly restMs: number;
  /** Stored keys that are remembered for it, at most; beyond, the oldest are forgotten before their time. */
  readonly maxResting: number;
}

export interface PendingOptions extends Partial<RestLimits> {
  /** Id of the first chunk; they rise to 2^30-1 and start again at 1, long after those were settled. */
  readonly firstChunk?: number;
}

/**
 * What a partition owes the store: the newest value of each key, last write wins.
 *
 * Pure state, no time and no I/O. A row is waiting, or in flight in a chunk; a newer value of a row in flight
 * makes it wait again, and the value in flight is held by the chunk alone (`superseded`) until the chunk settles.
 *
 *     fold ──▶ waiting ──take──▶ in flight ──confirm──▶ stored ──rest over──▶ gone
 *               ▲  ▲ ▲               │                    │
 *               │  │ └─ fold, release┘                    │ fold
 *               │  └───rest over─── resting ◀─────────────┘
 *               └──▶ aside
 *
 * A row that was just stored rests: a newer value of it waits until its rest is over, unless its flag `overload`
 * differs from what is stored. What rests is pending like any other row, but nobody waits for it to be sent.
 */
export class PendingRows {
  readonly #map = new RowMap();
  readonly #ages = new Ages();
  readonly #marks = new Marks();
  readonly #owners = new Owners();
  /** Of a row that waits while an older value of its key is in flight: epoch second in which the newer one came. */
  #renewed = new Int32Array(0);
  /** Chunks whose fate is open: neither stored, refused nor released. */
  readonly #inFlight = new Set<number>();
  #rests: Rests;
  /** Of a row that was stored a moment ago: the chunk that it was stored with, and its flag `overload` in the last bit. */
  #storedAs = new Int32Array(0);
  #nextChunk: number;
  #superseded = 0;

  /** Rows do not rest unless it is asked for. */
  constructor({ firstChunk = 1, ...limits }: PendingOptions = {}) {
    this.#nextChunk = firstChunk;
    const { restMs, maxResting } = { ...NO_RESTS, ...limits };
    this.#rests = new Rests(restMs, maxResting);
  }

  /** Keys that are pending. */
  get keys(): number {
    return this.#map.size - this.#marks.count(STORED);
  }

  /** Keys that are pending with a value of this peer, by its number in the journal. */
  keysOf(peer: number): number {
    return this.#owners.count(peer);
  }

  /** Values held: one a key, and one more for each value in flight that a newer one has replaced. */
  get held(): number {
    return this.keys + this.#superseded;
  }

  /** Packed bytes of the pending rows: what a snapshot of them takes. */
  get bytes(): number {
    return this.keys * WORDS_PER_ROW * 4;
  }

  /** Whether the key whose packed words begin at `key[at]` is pending. */
  has(key: Int32Array, at: number): boolean {
    const slot = this.#map.find(key, at);
    return slot >= 0 && this.#marks.at(slot) !== STORED;
  }

  /** Where the keys of these packed rows stand, which are pending, and the chunks whose fate is open. */
  trail(rows: Int32Array): { readonly slots: Set<number>; readonly inFlight: ReadonlySet<number> } {
    const slots = new Set<number>();
    for (let at = 0; at < rows.length; at += WORDS_PER_ROW) slots.add(this.#map.find(rows, at));
    return { slots, inFlight: new Set(this.#inFlight) };
  }

  /** Folds packed rows in the order given; `since` is the epoch second of this moment. Returns how many were coalesced. */
  fold(rows: Int32Array, since: number): number {
    const map = this.#map;
    let coalesced = 0;
    let renewed = 0;
    for (let from = 0; from < rows.length; from += WORDS_PER_ROW) {
      const slot = map.put(rows, from);
      if (slot >= this.#marks.capacity) this.#resize();
      this.#owners.hold(slot, rows[from + TAG]! >>> 1);
      const mark = map.replaced ? this.#marks.at(slot) : FREE;
      // A row that is replaced is never FREE.
      if (mark === WAITING || mark === ASIDE || mark === RESTING) {
        coalesced++;
        if (mark === RESTING && this.#isChanged(slot)) this.#marks.set(slot, WAITING);
        continue;
      }
      this.#marks.set(slot, WAITING);
      if (mark === STORED || (mark > 0 && this.#storedAs[slot]! >> 1 === mark)) this.#letRest(slot);
      const at = slot * WORDS_PER_ROW + SINCE;
      if (mark > 0) {
        this.#superseded++;
        if (this.#inFlight.has(mark)) {
          // The store may not get the value in flight: until it has it, the key waits since that one came.
          this.#renewed[slot] = since;
          continue;
        }
        this.#ages.remove(map.words[at]!);
      }
      map.words[at] = since;
      renewed++;
    }
    this.#ages.add(since, renewed);
    return coalesced;
  }

  /**
   * Puts rows back as a snapshot held them, their SINCE included, into a map with nothing in flight. A snapshot
   * that was taken while rows changed may hold a key twice, the later value later. Nothing waits since later than
   * `now`, an epoch second, if it is given: the wall clock may have been set back since.
   */
  restore(rows: Int32Array, now = Number.POSITIVE_INFINITY): void {
    for (let from = 0; from < rows.length; from += WORDS_PER_ROW) {
      const slot = this.#map.put(rows, from);
      if (slot >= this.#marks.capacity) this.#resize();
      this.#owners.hold(slot, rows[from + TAG]! >>> 1);
      const at = slot * WORDS_PER_ROW + SINCE;
      if (this.#map.replaced) this.#ages.remove(this.#map.words[at]!);
      const since = Math.min(rows[from + SINCE]! >>> 0, now);
      this.#map.words[at] = since;
      this.#ages.add(since, 1);
      this.#marks.set(slot, WAITING);
    }
  }

  /** The store has the chunk: what has replaced its values waits since it came. Its keys rest from `nowMs` on. */
  stored(chunk: Chunk, nowMs: number): void {
    if (this.#rests.isOn) {
      const sent = chunk.rows.words;
      for (let index = 0; index < chunk.slots.length; index++)
        this.#storedAs[chunk.slots[index]!] = (chunk.id << 1) | (sent[index * WORDS_PER_ROW + TAG]! & 1);
      this.#rests.add(chunk.id, chunk.slots, nowMs);
    }
    this.#settled(chunk);
  }

  /** The store refuses the chunk for good: what has replaced its values waits since it came. */
  refused(chunk: Chunk): void {
    this.#settled(chunk);
  }

  #settled({ id, slots }: Chunk): void {
    const { words } = this.#map;
    for (const slot of slots) {
      if (this.#marks.at(slot) === id) continue;
      const at = slot * WORDS_PER_ROW + SINCE;
      this.#ages.remove(words[at]!);
      words[at] = this.#renewed[slot]!;
      this.#ages.add(words[at]!, 1);
      if (this.#storedAs[slot]! >> 1 === id) this.#letRest(slot);
    }
    this.#inFlight.delete(id);
  }

  /** Keys that were stored a moment ago and are remembered, those counted that wait for the end of their rest. */
  get remembered(): number {
    return this.#marks.count(STORED) + this.#marks.count(RESTING);
  }

  /** When the first rest is over; undefined when nothing rests. */
  get restsUntilMs(): number | undefined {
    return this.#rests.firstUntilMs;
  }

  /** Ends the rests that are over at `nowMs`, and those that there is no memory for. */
  endRests(nowMs: number): void {
    for (let rest = this.#rests.take(nowMs); rest; rest = this.#rests.take(nowMs)) this.#over(rest);
  }

  /** No row rests any more. */
  stopResting(): void {
    this.endRests(Number.POSITIVE_INFINITY);
    this.#rests = new Rests(0, 0);
  }

  #over({ chunk, slots }: Rest): void {
    for (const slot of slots) {
      // It was stored again since, or another row stands there.
      if (this.#storedAs[slot]! >> 1 !== chunk) continue;
      this.#storedAs[slot] = 0;
      if (this.#marks.at(slot) === RESTING) this.#marks.set(slot, WAITING);
      else if (this.#marks.at(slot) === STORED) this.#remove(this.#map.words, slot * WORDS_PER_ROW);
    }
    this.#giveMemoryBack();
  }

  /** A row that waits, and whose key was just stored. */
  #letRest(slot: number): void {
    if (this.#marks.at(slot) !== WAITING || this.#isChanged(slot)) return;
    this.#marks.set(slot, RESTING);
  }

  /** Whether its flag `overload` differs from what the store has. */
  #isChanged(slot: number): boolean {
    return ((this.#map.words[slot * WORDS_PER_ROW + TAG]! ^ this.#storedAs[slot]!) & 1) === 1;
  }

  /**
   * Keys of the chunks whose values are still the ones sent: what a checkpoint may name. Packed key words, in `into`
   * where they fit.
   */
  unchangedKeys(chunks: readonly Chunk[], into?: Int32Array): Int32Array {
    const marks = this.#marks;
    const room = chunks.reduce((sum, { slots }) => sum + slots.length, 0) * WORDS_PER_KEY;
    const keys = into && into.length >= room ? into : new Int32Array(room);
    let length = 0;
    for (const { id, slots, rows } of chunks) {
      const sent = rows.words;
      for (let index = 0; index < slots.length; index++) {
        if (marks.at(slots[index]!) !== id) continue;
        const at = index * WORDS_PER_ROW;
        for (let word = 0; word < WORDS_PER_KEY; word++) keys[length++] = sent[at + word]!;
      }
    }
    return keys.subarray(0, length);
  }

  /**
   * Applies a checkpoint: the store holds the present values of `keys` (packed key words), and took
   * `superseded` values besides that newer ones had replaced. Returns how many keys were pending.
   */
  confirm(keys: Int32Array, superseded: number): number {
    let confirmed = 0;
    for (let at = 0; at < keys.length; at += WORDS_PER_KEY) if (this.#confirmKey(keys, at)) confirmed++;
    this.#superseded -= superseded;
    this.#giveMemoryBack();
    return confirmed;
  }

  #confirmKey(keys: Int32Array, at: number): boolean {
    if (!this.#rests.isOn) {
      const slot = this.#remove(keys, at);
      if (slot >= 0) this.#ages.remove(this.#map.removedSince);
      return slot >= 0;
    }
    const slot = this.#map.find(keys, at);
    if (slot < 0 || this.#marks.at(slot) === STORED) return false;
    const since = this.#map.words[slot * WORDS_PER_ROW + SINCE]!;
    this.#ages.remove(since);
    if (this.#marks.at(slot) > 0 && this.#storedAs[slot]! >> 1 === this.#marks.at(slot)) {
      this.#marks.set(slot, STORED);
      this.#owners.free(slot);
    } else {
      this.#remove(keys, at);
    }
    return true;
  }

  /** Returns the slot the key had, or -1. */
  #remove(key: Int32Array, at: number): number {
    const slot = this.#map.remove(key, at);
    if (slot < 0) return slot;
    this.#marks.set(slot, FREE);
    this.#owners.free(slot);
    this.#storedAs[slot] = 0;
    return slot;
  }

  /** An empty map may have given memory back. */
  #giveMemoryBack(): void {
    if (this.#map.size > 0 || this.#marks.capacity <= this.#map.capacity) return;
    this.#marks.resize(this.#map.capacity);
    this.#owners.resize(this.#map.capacity);
    this.#renewed = new Int32Array(this.#map.capacity);
    this.#storedAs = new Int32Array(this.#map.capacity);
  }

  /** The chunk was not stored: its rows wait again. Returns how many of its values newer ones have replaced meanwhile. */
  release(chunk: Chunk): number {
    let waiting = 0;
    for (const slot of chunk.slots) {
      if (this.#marks.at(slot) !== chunk.id) continue;
      this.#marks.set(slot, WAITING);
      waiting++;
    }
    this.#inFlight.delete(chunk.id);
    const replaced = chunk.slots.length - waiting;
    this.#superseded -= replaced;
    return replaced;
  }

  /** Sets the rows among `slots` that wait aside: no pass takes them, whatever value comes, until `takeBack`. */
  setAside(slots: Int32Array): void {
    this.#turn(slots, WAITING, ASIDE);
  }

  /** The rows among `slots` that are set aside wait again. */
  takeBack(slots: Int32Array): void {
    this.#turn(slots, ASIDE, WAITING);
  }

  /** Starts a pass over all rows that wait now; those that change or come later wait for the next one. */
  pass(): Pass {
    return new Pass(this, this.#marks.waiting(this.#map.high));
  }

  /** Keys that wait to be sent, are not set aside, and do not rest. */
  get waiting(): number {
    return this.#marks.count(WAITING);
  }

  /** The slot of the first row that waits from slot `from` on, and then from the start on; empty when none waits. */
  waitingSlot(from: number): Int32Array {
    const { high } = this.#map;
    for (let index = 0; index < high; index++) {
      const slot = (from + index) % high;
      if (this.#marks.at(slot) === WAITING) return Int32Array.of(slot);
    }
    return new Int32Array(0);
  }

  /** Keys that are set aside. */
  get aside(): number {
    return this.#marks.count(ASIDE);
  }

  /**
   * Rows of slots `from` … `to`-1 that are pending, copied: a piece of a snapshot. Empty past the end. The copy lies in
   * `into`, from its start, where it fits.
   */
  copySlots(from: number, to: number, into?: Int32Array): Int32Array {
    const { words, high } = this.#map;
    const upTo = Math.min(to, high);
    const room = Math.max(0, upTo - from) * WORDS_PER_ROW;
    const rows = into && into.length >= room ? into : new Int32Array(room);
    let length = 0;
    for (let slot = from; slot < upTo; slot++) {
      const mark = this.#marks.at(slot);
      if (mark === FREE || mark === STORED) continue;
      const at = slot * WORDS_PER_ROW;
      for (let word = 0; word < WORDS_PER_ROW; word++) rows[length + word] = words[at + word]!;
      length += WORDS_PER_ROW;
    }
    return rows.subarray(0, length);
  }

  /** One past the last slot in use: where a snapshot's scan ends. */
  get slotEnd(): number {
    return this.#map.high;
  }

  /** Epoch second since which the oldest report waits that the store does not have; undefined when it has all. */
  get oldestSince(): number | undefined {
    return this.#ages.oldest;
  }

  /** For passes: the words rows stand in at this moment. */
  get words(): Int32Array {
    return this.#map.words;
  }

  /** For passes: copies the waiting rows among `slots` into a chunk and marks them in flight. Undefined when none waits. */
  take(slots: Int32Array): Chunk | undefined {
    const id = this.#nextChunk;
    const taken = new Int32Array(slots.length);
    const rows = new Int32Array(slots.length * WORDS_PER_ROW);
    const words = this.#map.words;
    let count = 0;
    for (const slot of slots) {
      if (this.#marks.at(slot) !== WAITING) continue;
      this.#marks.set(slot, id);
      taken[count] = slot;
      const at = slot * WORDS_PER_ROW;
      const to = count * WORDS_PER_ROW;
      for (let word = 0; word < WORDS_PER_ROW; word++) rows[to + word] = words[at + word]!;
      count++;
    }
    if (count === 0) return undefined;
    this.#inFlight.add(id);
    this.#nextChunk = id === LAST_CHUNK ? 1 : id + 1;
    return {
      id,
      slots: taken.subarray(0, count),
      rows: new RowBatch(rows.subarray(0, count * WORDS_PER_ROW)),
    };
  }

  #turn(slots: Int32Array, from: number, to: number): void {
    for (const slot of slots) if (this.#marks.at(slot) === from) this.#marks.set(slot, to);
  }

  /** As many slots as the map has. */
  #resize(): void {
    const { capacity } = this.#map;
    this.#marks.resize(capacity);
    this.#owners.resize(capacity);
    const renewed = new Int32Array(capacity);
    renewed.set(this.#renewed);
    this.#renewed = renewed;
    const storedAs = new Int32Array(capacity);
    storedAs.set(this.#storedAs);
    this.#storedAs = storedAs;
  }
}
