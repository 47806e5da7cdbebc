import type { Row } from '../model/row.js';

/** The part of a row that is not its key. */
export type RowValue = Pick<Row, 'succ' | 'err' | 'ts' | 'overload'>;

/** Where a written value stands among those that were sent for its key. */
export type Place =
  /** At the last write, or behind it. */
  | 'in-order'
  /** Only before the last write. */
  | 'back'
  /** Nowhere; or so far before the last write that it is no longer remembered. */
  | 'unknown';

/** What was sent for one key, in order, as far as it is still needed. */
export interface Sequence {
  /** Appends what is sent next. */
  add(value: RowValue): void;
  /** Finds the place of what is written, and goes on from there when it is in order. */
  write(value: RowValue): Place;
  /** Whether this is the value that was sent last. */
  isLast(value: RowValue): boolean;
  /** What was sent last, as a text. */
  readonly last: string;
}

export function describe({ succ, err, ts, overload }: RowValue): string {
  return `succ=${succ} err=${err} ts=${ts} overload=${overload ? 1 : 0}`;
}

/** Numbers of one value in `Values`. */
const WORDS = 3;
/** Values before the last write that are remembered, to tell a step back from a value that was never sent. */
const REMEMBERED = 32;

/**
 * A sequence of any values. Keeps those from the last write on, and a few before it.
 *
 * A write is taken for the earliest sending of its value from the last write on: whatever comes later then has the
 * most room, so writes that are in order are never blamed.
 */
export class Values implements Sequence {
  /** succ, err, and ts with overload, of each value. */
  #words: number[] = [];
  /** Where the value stands that was written last; before the first value: nothing was written. */
  #written = -WORDS;

  add(value: RowValue): void {
    if (this.#words.length > 0 && this.isLast(value)) return;
    this.#words.push(value.succ, value.err, tagged(value));
  }

  write(value: RowValue): Place {
    const at = this.#find(value, Math.max(0, this.#written), this.#words.length);
    if (at < 0) return this.#find(value, 0, Math.max(0, this.#written)) < 0 ? 'unknown' : 'back';
    this.#written = at;
    if (at > 2 * REMEMBERED * WORDS) {
      this.#words.splice(0, at - REMEMBERED * WORDS);
      this.#written = REMEMBERED * WORDS;
    }
    return 'in-order';
  }

  isLast(value: RowValue): boolean {
    return this.#isAt(this.#words.length - WORDS, value);
  }

  get last(): string {
    const [succ = 0, err = 0, tag = 0] = this.#words.slice(-WORDS);
    return describe({ succ, err, ts: Math.floor(tag / 2), overload: tag % 2 === 1 });
  }

  #find(value: RowValue, from: number, to: number): number {
    for (let at = from; at < to; at += WORDS) if (this.#isAt(at, value)) return at;
    return -1;
  }

  #isAt(at: number, value: RowValue): boolean {
    const words = this.#words;
    return words[at] === value.succ && words[at + 1] === value.err && words[at + 2] === tagged(value);
  }
}

function tagged({ ts, overload }: RowValue): number {
  return 2 * ts + (overload ? 1 : 0);
}

/**
 * A sequence of values that are numbered in `succ`, rising, all else following from the number: keeps numbers that
 * rise by one as two, so that its memory does not grow with what is sent.
 */
export class Numbers implements Sequence {
  readonly #isAsSent: (value: RowValue) => boolean;
  /** Numbers that were sent, none twice, rising. */
  #runs: { readonly from: number; to: number }[] = [];
  #written = Number.NEGATIVE_INFINITY;

  /** `isAsSent`: whether all else of a value is what is sent with its number. */
  constructor(isAsSent: (value: RowValue) => boolean) {
    this.#isAsSent = isAsSent;
  }

  /** Throws RangeError when the number falls, or when the value is not what `isAsSent` expects. */
  add(value: RowValue): void {
    const run = this.#runs.at(-1);
    if (!this.#isAsSent(value)) throw new RangeError(`${describe(value)} does not fit its number`);
    if (run && value.succ < run.to) throw new RangeError(`number ${value.succ} was sent after ${run.to}`);
    if (run && value.succ <= run.to + 1) run.to = value.succ;
    else this.#runs.push({ from: value.succ, to: value.succ });
  }

  write(value: RowValue): Place {
    const number = value.succ;
    if (!this.#isAsSent(value) || number > this.#last) return 'unknown';
    if (number < this.#written) return 'back';
    const at = this.#runs.findIndex(({ to }) => to >= number);
    if (this.#runs[at]!.from > number) return 'unknown';
    this.#runs.splice(0, at);
    this.#written = number;
    return 'in-order';
  }

  isLast(value: RowValue): boolean {
    return value.succ === this.#last && this.#isAsSent(value);
  }

  get last(): string {
    return `number ${this.#last}`;
  }

  get #last(): number {
    return this.#runs.at(-1)?.to ?? Number.NEGATIVE_INFINITY;
  }
}
