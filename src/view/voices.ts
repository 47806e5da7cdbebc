import { byteColumn, int32Column } from './columns.js';
import type { VoiceState } from './shapes.js';
import { Records } from './slots.js';

/** Reports that the skew of a voice is taken over. */
const SKEW_REPORTS = 15;
/** A skew is told from so many seconds on. */
const SKEW_TOLD_S = 5;

/** Codes of the column `state`. */
export const VOICE_STATE_OF: readonly (VoiceState | null)[] = [
  null,
  'reporting',
  'connected',
  'gone',
  'table',
];
export const REPORTING = 1;
export const CONNECTED = 2;
export const GONE = 3;
export const FROM_TABLE = 4;

/** Machines that call, by the IPv4 address the view knows them by. */
export class Voices {
  readonly records = new Records(1);
  /** Second it was last heard; from the table: the newest `ts`. */
  heard = int32Column(0);
  /** 1 when it was heard since the start. */
  live = byteColumn(0);
  state = byteColumn(0);
  /** 1 when it had been heard before the start. */
  remembered = byteColumn(0);
  /** Number of the peer its last report came from. */
  peer = int32Column(0);
  /** 1 when its last report named a loopback address, which is in `viaCaller`. */
  via = byteColumn(0);
  viaCaller = int32Column(0);
  rows = int32Column(0);
  /** Hot rows. */
  hot = int32Column(0);
  /** Hot rows on hosts that most others do not hold for overloaded. */
  lone = int32Column(0);
  /** Second up to which it counts as shared; 0 = never. */
  sharedUntil = int32Column(0);
  /** Bits: what was told of it and still holds. */
  told = byteColumn(0);
  /** 1 while its skew is worth telling. */
  skewed = byteColumn(0);
  /** First of its pairs, plus 1. */
  firstPair = int32Column(0);
  readonly #samples = { values: int32Column(0), counts: int32Column(0), ts: int32Column(0) };
  readonly #sorted: number[] = [];

  constructor() {
    this.#resize();
  }

  ip(voice: number): number {
    return this.records.words[voice]!;
  }

  /** The voice of an address; a new one when there is none. */
  of(ip: number): number {
    const known = this.records.find(ip);
    if (known >= 0) return known;
    const voice = this.records.add(ip);
    if (this.records.capacity > this.heard.length) this.#resize();
    this.#clear(voice);
    return voice;
  }

  /** Keeps one report for the skew. Reports of one second with one `ts` count once. `skew`: heard less ts. */
  sample(voice: number, ts: number, skew: number, isNewSecond: boolean): void {
    const { values, counts, ts: newest } = this.#samples;
    const count = counts[voice]!;
    if (count > 0 && !isNewSecond && newest[voice] === ts) return;
    values[voice * SKEW_REPORTS + (count % SKEW_REPORTS)] = skew;
    counts[voice] = count < SKEW_REPORTS * 2 ? count + 1 : SKEW_REPORTS + ((count + 1) % SKEW_REPORTS);
    newest[voice] = ts;
    // The median can become large only by a large sample, so others need no sorting.
    if (Math.abs(skew) >= SKEW_TOLD_S || this.skewed[voice] === 1) this.skewed[voice] = this.#isSkewed(voice);
  }

  #isSkewed(voice: number): 0 | 1 {
    const skew = this.skewS(voice);
    return skew !== null && Math.abs(skew) >= SKEW_TOLD_S ? 1 : 0;
  }

  /** Median of its last 15 reports; null when there is none. */
  skewS(voice: number): number | null {
    const count = Math.min(this.#samples.counts[voice]!, SKEW_REPORTS);
    if (count === 0) return null;
    const sorted = this.#sorted;
    sorted.length = 0;
    const base = voice * SKEW_REPORTS;
    for (let index = 0; index < count; index++) sorted.push(this.#samples.values[base + index]!);
    sorted.sort((a, b) => a - b);
    const middle = count >> 1;
    return count % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }

  #clear(voice: number): void {
    for (const column of [this.heard, this.peer, this.viaCaller, this.rows, this.hot, this.lone])
      column[voice] = 0;
    for (const column of [this.live, this.remembered, this.state, this.via, this.told, this.skewed])
      column[voice] = 0;
    this.sharedUntil[voice] = 0;
    this.firstPair[voice] = 0;
    this.#samples.counts[voice] = 0;
  }

  #resize(): void {
    const { capacity } = this.records;
    this.heard = int32Column(capacity, this.heard);
    this.live = byteColumn(capacity, this.live);
    this.remembered = byteColumn(capacity, this.remembered);
    this.state = byteColumn(capacity, this.state);
    this.peer = int32Column(capacity, this.peer);
    this.via = byteColumn(capacity, this.via);
    this.viaCaller = int32Column(capacity, this.viaCaller);
    this.rows = int32Column(capacity, this.rows);
    this.hot = int32Column(capacity, this.hot);
    this.lone = int32Column(capacity, this.lone);
    this.sharedUntil = int32Column(capacity, this.sharedUntil);
    this.told = byteColumn(capacity, this.told);
    this.skewed = byteColumn(capacity, this.skewed);
    this.firstPair = int32Column(capacity, this.firstPair);
    this.#samples.values = int32Column(capacity * SKEW_REPORTS, this.#samples.values);
    this.#samples.counts = int32Column(capacity, this.#samples.counts);
    this.#samples.ts = int32Column(capacity, this.#samples.ts);
  }
}
