import { WORDS_PER_ROW } from '../../model/row.js';
import type { RowFeed } from '../../model/row-feed.js';
import { RingWriter, type SharedRing, sharedRing } from './ring.js';
import type { ThreadClock } from './thread-clock.js';

/** Kinds of entries. Of rows, the tag is their partition; of a peer, its number. */
export const ROWS = 1;
export const PEER = 2;

/** 8 MiB. */
const RING_WORDS = 1 << 21;
/** Rows that were dropped are read again once none was dropped for so long. */
const QUIET_S = 2;

/** Rows of some partitions that the view did not get. */
export interface Missed {
  readonly partitions: ReadonlySet<number>;
  /** How many were dropped; others may have been missed uncounted. */
  readonly rows: number;
  readonly sinceS: number;
}

/**
 * Copies of journaled rows, on their way to the view. Bounded and never waited for: what does not fit is dropped and
 * counted, and its partition is to be read again.
 */
export class ViewFeed implements RowFeed {
  readonly #clock: ThreadClock;
  readonly #words: number;
  #ring: RingWriter | undefined;
  /** Addresses by number: what a new thread is told. */
  readonly #peers = new Map<number, string>();
  /** Numbers that the thread has not been told. */
  #untold: number[] = [];
  #dropped = 0;
  #missed = new Map<number, number>();
  #missedSinceS = 0;
  #missedLastS = 0;
  #missedHead = 0;
  /** Second in which the thread was first seen to have taken in all before the last miss; 0 = not yet. */
  #caughtUpS = 0;

  /** `words`: of the ring, a power of two. */
  constructor(clock: ThreadClock, words = RING_WORDS) {
    this.#clock = clock;
    this.#words = words;
  }

  /** Begins to feed a new thread, which has read nothing yet: what was missed before is its own affair. */
  attach(): { readonly ring: SharedRing; readonly peers: readonly (readonly [number, string])[] } {
    const ring = sharedRing(this.#words);
    this.#ring = new RingWriter(ring);
    this.#untold = [];
    this.#missed = new Map();
    return { ring, peers: [...this.#peers] };
  }

  /** The thread is gone. */
  detach(): void {
    this.#ring = undefined;
  }

  /** Rows with this number in their tags come from this address; to be told before the first of them. */
  peer(number: number, address: string): void {
    if (this.#peers.has(number)) return;
    this.#peers.set(number, address);
    if (this.#ring) this.#untold.push(number);
  }

  journaled(partition: number, rows: Int32Array): void {
    const ring = this.#ring;
    if (!ring || rows.length === 0) return;
    const nowS = this.#clock.nowS();
    if (this.#untold.length > 0 && !this.#tellPeers(ring, nowS)) this.#miss(ring, partition, rows, nowS);
    else if (!ring.write(ROWS, partition, nowS, rows)) this.#miss(ring, partition, rows, nowS);
  }

  /** Something of the partition may have been journaled that was not handed over. */
  lost(partition: number): void {
    if (this.#ring) this.#miss(this.#ring, partition, NO_ROWS, this.#clock.nowS());
  }

  /** Rows dropped since the start. */
  get droppedRows(): number {
    return this.#dropped;
  }

  /** Seconds since the oldest entry that the thread has not taken in was written; 0 when there is none. */
  get lagS(): number {
    const oldest = this.#ring?.oldestSecond();
    return oldest === undefined ? 0 : Math.max(0, this.#clock.nowS() - oldest);
  }

  /** Changes as long as the thread lives. */
  get beat(): number {
    return this.#ring?.beat ?? 0;
  }

  /** What was missed and is not taken yet. */
  get missed(): Missed | undefined {
    if (this.#missed.size === 0) return undefined;
    let rows = 0;
    for (const some of this.#missed.values()) rows += some;
    return { partitions: new Set(this.#missed.keys()), rows, sinceS: this.#missedSinceS };
  }

  /**
   * What was missed, for the caller to read it again: once nothing was for a while, and the thread has taken in all
   * that came before. So whatever it heard before this second is older than what is read from now on.
   */
  takeMissed(): Missed | undefined {
    const { missed } = this;
    const nowS = this.#clock.nowS();
    if (!missed || nowS - this.#missedLastS < QUIET_S) return undefined;
    if (this.#caughtUpS === 0 && this.#ring?.hasRead(this.#missedHead)) this.#caughtUpS = nowS;
    if (this.#caughtUpS === 0 || this.#caughtUpS === nowS) return undefined;
    this.#missed = new Map();
    return missed;
  }

  #miss(ring: RingWriter, partition: number, rows: Int32Array, nowS: number): void {
    const count = rows.length / WORDS_PER_ROW;
    if (this.#missed.size === 0) this.#missedSinceS = nowS;
    this.#missed.set(partition, (this.#missed.get(partition) ?? 0) + count);
    this.#missedLastS = nowS;
    this.#missedHead = ring.head;
    this.#caughtUpS = 0;
    this.#dropped += count;
  }

  #tellPeers(ring: RingWriter, nowS: number): boolean {
    for (let told = 0; told < this.#untold.length; told++) {
      const number = this.#untold[told]!;
      const address = this.#peers.get(number)!;
      const codes = Array.from(address, (letter) => letter.charCodeAt(0));
      if (ring.write(PEER, number, nowS, codes)) continue;
      this.#untold.splice(0, told);
      return false;
    }
    this.#untold = [];
    return true;
  }
}

const NO_ROWS = new Int32Array(0);
