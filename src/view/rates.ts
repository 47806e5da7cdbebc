import { float64Column, uint32Column } from './columns.js';

/** Seconds of one bucket. */
export const BUCKET_S = 10;
/** Buckets of the long window, and the running one. */
const BUCKETS = 31;
const SHORT = 6;
const LONG = 30;
const MAX_CALLS = 0xffff_ffff;

/**
 * Calls and errors of numbered things in buckets of 10 s, and their sums over the last 6 and the last 30 complete
 * ones. One column a bucket, so that closing a bucket runs through memory in order.
 */
export class Rates {
  calls60 = float64Column(0);
  errors60 = float64Column(0);
  calls300 = float64Column(0);
  errors300 = float64Column(0);
  readonly #calls: Uint32Array[] = Array.from({ length: BUCKETS }, () => uint32Column(0));
  readonly #errors: Uint32Array[] = Array.from({ length: BUCKETS }, () => uint32Column(0));
  /** Number of the running bucket. */
  #bucket: number;
  #callsNow: Uint32Array;
  #errorsNow: Uint32Array;

  /** `bucket`: number of the running bucket, second / 10. */
  constructor(bucket: number) {
    this.#bucket = bucket;
    this.#callsNow = this.#calls[bucket % BUCKETS]!;
    this.#errorsNow = this.#errors[bucket % BUCKETS]!;
  }

  resize(capacity: number): void {
    for (let index = 0; index < BUCKETS; index++) {
      this.#calls[index] = uint32Column(capacity, this.#calls[index]);
      this.#errors[index] = uint32Column(capacity, this.#errors[index]);
    }
    this.calls60 = float64Column(capacity, this.calls60);
    this.errors60 = float64Column(capacity, this.errors60);
    this.calls300 = float64Column(capacity, this.calls300);
    this.errors300 = float64Column(capacity, this.errors300);
    this.#point();
  }

  /** Forgets all of one number. */
  clear(number: number): void {
    for (let index = 0; index < BUCKETS; index++) {
      this.#calls[index]![number] = 0;
      this.#errors[index]![number] = 0;
    }
    this.calls60[number] = 0;
    this.errors60[number] = 0;
    this.calls300[number] = 0;
    this.errors300[number] = 0;
  }

  /** Counts calls, failed ones included, into the running bucket. */
  add(number: number, calls: number, errors: number): void {
    this.#callsNow[number] = Math.min(this.#callsNow[number]! + calls, MAX_CALLS);
    this.#errorsNow[number] = Math.min(this.#errorsNow[number]! + errors, MAX_CALLS);
  }

  /** What was counted in a bucket by its number; undefined when it is not over, or too long ago. */
  bucketAt(number: number, bucket: number): { readonly calls: number; readonly errors: number } | undefined {
    if (bucket >= this.#bucket || bucket < this.#bucket - LONG) return undefined;
    const index = bucket % BUCKETS;
    return { calls: this.#calls[index]![number]!, errors: this.#errors[index]![number]! };
  }

  /** What was counted from a bucket on, the running one included; 30 buckets ago at the earliest. */
  since(number: number, bucket: number): { readonly calls: number; readonly errors: number } {
    let calls = this.#callsNow[number]!;
    let errors = this.#errorsNow[number]!;
    for (let at = Math.max(bucket, this.#bucket - LONG); at < this.#bucket; at++) {
      calls += this.#calls[at % BUCKETS]![number]!;
      errors += this.#errors[at % BUCKETS]![number]!;
    }
    return { calls, errors };
  }

  /** Calls of the last minute and of the running bucket. */
  recentCalls(number: number): number {
    return this.calls60[number]! + this.#callsNow[number]!;
  }

  recentErrors(number: number): number {
    return this.errors60[number]! + this.#errorsNow[number]!;
  }

  /** Adds what the running bucket holds of the numbers below `high`, `scale` times, to sums over all buckets. */
  addRunning(high: number, calls: Float64Array, errors: Float64Array, scale: number): void {
    for (let number = 0; number < high; number++) {
      calls[number]! += this.#callsNow[number]! * scale;
      errors[number]! += this.#errorsNow[number]! * scale;
    }
  }

  /** Closes the running bucket and begins the next one; `changed` is called for each number whose sums are others. */
  closeBucket(high: number, changed: (number: number) => void): void {
    const closed = this.#bucket;
    const callsNow = this.#callsNow;
    const errorsNow = this.#errorsNow;
    const calls6 = this.#calls[(closed - SHORT + BUCKETS) % BUCKETS]!;
    const errors6 = this.#errors[(closed - SHORT + BUCKETS) % BUCKETS]!;
    const calls30 = this.#calls[(closed - LONG + BUCKETS) % BUCKETS]!;
    const errors30 = this.#errors[(closed - LONG + BUCKETS) % BUCKETS]!;
    const { calls60, errors60, calls300, errors300 } = this;
    for (let number = 0; number < high; number++) {
      const calls = callsNow[number]!;
      const errors = errorsNow[number]!;
      const shortCalls = calls - calls6[number]!;
      const shortErrors = errors - errors6[number]!;
      const longCalls = calls - calls30[number]!;
      const longErrors = errors - errors30[number]!;
      if (shortCalls === 0 && shortErrors === 0 && longCalls === 0 && longErrors === 0) continue;
      calls60[number]! += shortCalls;
      errors60[number]! += shortErrors;
      calls300[number]! += longCalls;
      errors300[number]! += longErrors;
      changed(number);
    }
    this.#bucket++;
    // The oldest bucket, which has just left the long window, becomes the running one.
    this.#point();
    this.#callsNow.fill(0);
    this.#errorsNow.fill(0);
  }

  #point(): void {
    this.#callsNow = this.#calls[this.#bucket % BUCKETS]!;
    this.#errorsNow = this.#errors[this.#bucket % BUCKETS]!;
  }

  /** The window an error share of this number is taken over; 0 when it had too few calls for one. */
  window(number: number, minCalls: number): 0 | 60 | 300 {
    if (this.calls60[number]! >= minCalls) return 60;
    return this.calls300[number]! >= minCalls ? 300 : 0;
  }

  /** Share of failed calls in a window; 0 when there is none. */
  share(number: number, window: 0 | 60 | 300): number {
    if (window === 0) return 0;
    const calls = window === 60 ? this.calls60[number]! : this.calls300[number]!;
    const errors = window === 60 ? this.errors60[number]! : this.errors300[number]!;
    return calls === 0 ? 0 : errors / calls;
  }
}
