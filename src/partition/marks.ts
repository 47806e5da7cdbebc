/** Mark of a row that waits to be sent. Positive marks: the chunk that carries its present value. */
export const WAITING = 0;
/** Mark of a slot that holds no row. */
export const FREE = -1;
/** Mark of a row that is set aside: it waits, and no pass takes it. */
export const ASIDE = -2;
/** Mark of a row whose key was stored a moment ago: it waits, and no pass takes it before its rest is over. */
export const RESTING = -3;
/** Mark of a row that the store has: nothing of it is pending, its key is remembered until its rest is over. */
export const STORED = -4;

/** What is the matter with the row in each slot, and how many rows there are of each kind. */
export class Marks {
  #marks = new Int32Array(0);
  /** By the negative of the mark. */
  readonly #counts = [0, 0, 0, 0, 0];

  get capacity(): number {
    return this.#marks.length;
  }

  at(slot: number): number {
    return this.#marks[slot]!;
  }

  set(slot: number, mark: number): void {
    const before = this.#marks[slot]!;
    if (before <= 0) this.#counts[-before]!--;
    if (mark <= 0) this.#counts[-mark]!++;
    this.#marks[slot] = mark;
  }

  /** Rows of one of the kinds above. */
  count(mark: number): number {
    return this.#counts[-mark]!;
  }

  /** The waiting ones of the slots 0 … `high`-1. */
  waiting(high: number): Int32Array {
    const slots = new Int32Array(this.count(WAITING));
    const marks = this.#marks;
    for (let slot = 0, length = 0; slot < high && length < slots.length; slot++)
      if (marks[slot] === WAITING) slots[length++] = slot;
    return slots;
  }

  /** Room for so many slots; those that are new, or cut off, are free. */
  resize(capacity: number): void {
    const marks = new Int32Array(capacity).fill(FREE);
    marks.set(this.#marks.subarray(0, capacity));
    this.#marks = marks;
  }
}
