import { float32Column } from './columns.js';

/** Minutes that are remembered. */
export const MINUTES = 30;

/**
 * The last 30 complete minutes of numbered things: some values each. One column a minute and value, so that a
 * minute is kept by copying the columns it is made of. NaN: not known. Values above 2^24 lose their last digits.
 */
export class MinuteRing {
  readonly #fields: number;
  readonly #columns: Float32Array[];
  /** Number of the newest complete minute; -1 before the first. */
  #newest = -1;

  /** `fields`: values a minute. */
  constructor(fields: number) {
    this.#fields = fields;
    this.#columns = Array.from({ length: fields * MINUTES }, () => float32Column(0));
  }

  resize(capacity: number): void {
    for (let index = 0; index < this.#columns.length; index++) {
      const old = this.#columns[index]!;
      const column = float32Column(capacity, old);
      column.fill(Number.NaN, old.length);
      this.#columns[index] = column;
    }
  }

  /** Forgets all of one number. Of those above all that were ever kept, nothing is known anyway. */
  clear(number: number): void {
    for (const column of this.#columns) column[number] = Number.NaN;
  }

  /** Keeps the columns of the numbers below `high` as the newest minute; minutes left out are not known. */
  push(minute: number, columns: readonly (Float64Array | Float32Array | Int32Array)[], high: number): void {
    const from = this.#newest < 0 ? minute : Math.max(this.#newest + 1, minute - MINUTES + 1);
    for (let skipped = from; skipped < minute; skipped++)
      for (let field = 0; field < this.#fields; field++) this.#column(skipped, field).fill(Number.NaN);
    for (let field = 0; field < this.#fields; field++)
      this.#column(minute, field).set(columns[field]!.subarray(0, high));
    this.#newest = minute;
  }

  /** Number of the newest minute; -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** A value of a minute; NaN when it is not known. */
  value(minute: number, field: number, number: number): number {
    if (minute > this.#newest || minute <= this.#newest - MINUTES || minute < 0) return Number.NaN;
    return this.#column(minute, field)[number] ?? Number.NaN;
  }

  #column(minute: number, field: number): Float32Array {
    return this.#columns[(minute % MINUTES) * this.#fields + field]!;
  }
}
