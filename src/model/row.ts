/**
 * A row is the status of one key: what the table `ServerCallStatus` holds of it.
 *
 * Rows travel packed, WORDS_PER_ROW int32 words each, because a row is far cheaper to copy, hash, journal and
 * sort as ten integers than as an object:
 *
 *     word   0      1      2    3     4       5     6    7    8                       9
 *          +------+------+----+-----+-------+-----+----+----+-----------------------+-------+
 *          | modid| cmdid| ip | port| caller| succ| err| ts | peer << 1 | overload  | since |
 *          +------+------+----+-----+-------+-----+----+----+-----------------------+-------+
 *          '------------- key --------------'------------- value -------------------'
 *
 * ip, caller: IPv4 in host order, as the 32 bits of the wire. succ, err: already saturated to 2^31-1.
 * ts: uint32, the agent's clock, data only; it decides nothing. peer: number of the sending address in the
 * journal's peer table. since: uint32, epoch seconds when the key began to wait for the store.
 */
export const WORDS_PER_ROW = 10;
/** Words of a row that form its key, the table's primary key in its order. */
export const WORDS_PER_KEY = 5;

export const MODID = 0;
export const CMDID = 1;
export const IP = 2;
export const PORT = 3;
export const CALLER = 4;
export const SUCC = 5;
export const ERR = 6;
export const TS = 7;
export const TAG = 8;
export const SINCE = 9;

/** Largest counter the table's `int` columns hold; larger ones are stored as this (see CONTRACT: saturated). */
export const MAX_COUNTER = 0x7fffffff;

/** A row as people and stores of other authors see it. All 32-bit patterns signed but ts, succ and err. */
export interface Row {
  /** Service, first half; int32. */
  readonly modid: number;
  /** Service, second half; int32. */
  readonly cmdid: number;
  /** Called host, IPv4 in host order as int32 (192.168.0.1 is negative). */
  readonly ip: number;
  /** Port of the called host; int32 as on the wire. */
  readonly port: number;
  /** Reporting machine, IPv4 in host order as int32. */
  readonly caller: number;
  /** Successful calls in the agent's window, 0 … 2^31-1. */
  readonly succ: number;
  /** Failed calls in the agent's window, 0 … 2^31-1. */
  readonly err: number;
  /** The agent's clock, whole seconds, uint32. */
  readonly ts: number;
  /** Whether the agent holds the host for overloaded. */
  readonly overload: boolean;
}

/**
 * Packed rows: what stores are handed. Iterate it for `Row` objects, or read `words` directly where every
 * microsecond counts. A batch is never changed after it was handed over.
 */
export class RowBatch implements Iterable<Row> {
  /** `length * WORDS_PER_ROW` words, laid out as drawn above. */
  readonly words: Int32Array;

  constructor(words: Int32Array) {
    if (words.length % WORDS_PER_ROW !== 0) {
      throw new RangeError(`a row batch has ${WORDS_PER_ROW} words a row, got ${words.length} words`);
    }
    this.words = words;
  }

  /** Number of rows. */
  get length(): number {
    return this.words.length / WORDS_PER_ROW;
  }

  /** The row at `index`; throws RangeError outside 0 … length-1. */
  at(index: number): Row {
    if (!(index >= 0 && index < this.length))
      throw new RangeError(`no row ${index} in a batch of ${this.length}`);
    return unpackRow(this.words, index * WORDS_PER_ROW);
  }

  /** Rows `from` (inclusive) to `to` (exclusive), sharing memory with this batch. */
  slice(from: number, to: number): RowBatch {
    return new RowBatch(this.words.subarray(from * WORDS_PER_ROW, to * WORDS_PER_ROW));
  }

  /** The rows as objects, one at a time. */
  *[Symbol.iterator](): Iterator<Row> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  /** Packs row objects; for tests and tools, not for the hot path. */
  static from(rows: Iterable<Row>): RowBatch {
    const words: number[] = [];
    for (const row of rows) {
      words.push(row.modid, row.cmdid, row.ip, row.port, row.caller, row.succ, row.err, row.ts);
      words.push(row.overload ? 1 : 0, 0);
    }
    return new RowBatch(Int32Array.from(words));
  }
}

/** Reads the row whose first word is `words[at]`. */
export function unpackRow(words: Int32Array, at: number): Row {
  return {
    modid: words[at + MODID]!,
    cmdid: words[at + CMDID]!,
    ip: words[at + IP]!,
    port: words[at + PORT]!,
    caller: words[at + CALLER]!,
    succ: words[at + SUCC]!,
    err: words[at + ERR]!,
    ts: words[at + TS]! >>> 0,
    overload: (words[at + TAG]! & 1) === 1,
  };
}

/** Order of keys in the table's primary key, every column as int32: < 0, 0 or > 0. */
export function compareKeys(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  for (let word = 0; word < WORDS_PER_KEY; word++) {
    const x = a[atA + word]!;
    const y = b[atB + word]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
