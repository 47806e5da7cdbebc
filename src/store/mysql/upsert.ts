import { TAG, TS, WORDS_PER_ROW } from '../../model/row.js';

/** Name of the table; see schema/README.md. */
export const TABLE = 'ServerCallStatus';

/** Which key columns are unsigned: these get the same 32 bits as a number from 0 to 2^32-1. */
export interface KeySigns {
  readonly modid: boolean;
  readonly cmdid: boolean;
  readonly ip: boolean;
  readonly port: boolean;
  readonly caller: boolean;
}

const COLUMNS = 'modid,cmdid,ip,port,caller,succ_cnt,err_cnt,ts,overload';
const HEAD = `INSERT INTO ${TABLE} (${COLUMNS}) VALUES `;
// VALUES(): deprecated in MySQL 8, but its successor does not exist in MariaDB.
const TAIL =
  ' ON DUPLICATE KEY UPDATE ' +
  'succ_cnt=VALUES(succ_cnt),err_cnt=VALUES(err_cnt),ts=VALUES(ts),overload=VALUES(overload)';

/** The upsert without a row: the server checks names, privileges and read-only mode, and changes nothing. */
export const EMPTY_UPSERT = `INSERT INTO ${TABLE} (${COLUMNS}) SELECT 0,0,0,0,0,0,0,0,'0' FROM DUAL WHERE 1=0${TAIL}`;

/** `,(` and `)`, eight integers of at most 11 characters, eight commas, `'0'`. */
const MAX_ROW_BYTES = 3 + 8 * 11 + 8 + 3;

const COMMA = 44;
const QUOTE = 39;
const OPEN = 40;
const CLOSE = 41;
const MINUS = 45;
const ZERO = 48;
const MAX_INT32 = 0x7fffffff;

/** Columns that are written as integers, in the order of the row's words; `overload` follows. */
const INTEGERS = TS + 1;
/** "00" to "99". */
const PAIRS = Buffer.from(Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0')).join(''));

/** Text is written into memory that is used again, for statements of up to this many rows. */
const MAX_KEPT_ROWS = 10_000;

/**
 * Writes the upserts of packed rows, each as one ASCII statement. They are written digit by digit from int32 words, so
 * nothing but integers can reach the server.
 *
 * Why bytes: joined strings take about three times as long (`tools/bench/micro.ts`). Rows come in the order of their keys, and
 * rows of one report share their time, too: a number that the row before had in the same column is copied.
 */
export class UpsertText {
  readonly #unsigned: readonly boolean[];
  #text = Buffer.allocUnsafe(0);

  constructor({ modid, cmdid, ip, port, caller }: KeySigns) {
    this.#unsigned = [modid, cmdid, ip, port, caller, false, false, true];
  }

  statement(words: Int32Array): string {
    const text = this.#roomFor(words.length / WORDS_PER_ROW);
    const unsigned = this.#unsigned;
    /** Where the numbers of the row before begin, and, in the place of a ninth, where the last one ends. */
    const starts = new Uint32Array(INTEGERS + 1);
    let at = text.write(HEAD, 'latin1');
    for (let row = 0; row < words.length; row += WORDS_PER_ROW) {
      if (row > 0) text[at++] = COMMA;
      text[at++] = OPEN;
      for (let column = 0; column < INTEGERS; column++) {
        const word = words[row + column]!;
        const began = at;
        if (row > 0 && word === words[row - WORDS_PER_ROW + column]) {
          // The next column's start is still that of the row before.
          const end = starts[column + 1]!;
          for (let from = starts[column]!; from < end; from++) text[at++] = text[from]!;
        } else {
          at = writeInteger(text, at, word, unsigned[column]!);
        }
        starts[column] = began;
      }
      starts[INTEGERS] = at;
      text[at++] = QUOTE;
      text[at++] = ZERO + (words[row + TAG]! & 1);
      text[at++] = QUOTE;
      text[at++] = CLOSE;
    }
    at += text.write(TAIL, at, 'latin1');
    return text.toString('latin1', 0, at);
  }

  #roomFor(rows: number): Buffer {
    const bytes = HEAD.length + rows * MAX_ROW_BYTES + TAIL.length;
    if (bytes <= this.#text.length) return this.#text;
    const text = Buffer.allocUnsafeSlow(bytes);
    if (rows <= MAX_KEPT_ROWS) this.#text = text;
    return text;
  }
}

/** Writes the word's decimal digits and a comma at `at`; returns where the next byte goes. */
function writeInteger(text: Buffer, at: number, word: number, unsigned: boolean): number {
  let first = at;
  let rest = unsigned ? word >>> 0 : word;
  if (rest < 0) {
    text[first++] = MINUS;
    rest = -rest;
  }
  const end = first + digitsOf(rest);
  let place = end;
  if (rest > MAX_INT32) {
    // Once in floating point; what is left is an int32, which is divided far quicker.
    const top = Math.floor(rest / 100);
    place = writePair(text, place, rest - top * 100);
    rest = top;
  }
  let left = rest | 0;
  while (place - first >= 2) {
    const top = (left / 100) | 0;
    place = writePair(text, place, left - top * 100);
    left = top;
  }
  if (place > first) text[first] = ZERO + left;
  text[end] = COMMA;
  return end + 1;
}

/** Writes two digits in front of `end`; returns where they begin. */
function writePair(text: Buffer, end: number, pair: number): number {
  text[end - 2] = PAIRS[pair * 2]!;
  text[end - 1] = PAIRS[pair * 2 + 1]!;
  return end - 2;
}

function digitsOf(value: number): number {
  if (value < 1e5) {
    if (value < 100) return value < 10 ? 1 : 2;
    if (value < 1e4) return value < 1000 ? 3 : 4;
    return 5;
  }
  if (value < 1e7) return value < 1e6 ? 6 : 7;
  if (value < 1e9) return value < 1e8 ? 8 : 9;
  return 10;
}
