import { CALLER, CMDID, ERR, IP, MODID, PORT, SUCC, TAG, TS, WORDS_PER_ROW } from '../model/row.js';

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

/**
 * The upsert of packed rows as one ASCII statement. It is written digit by digit from int32 words, so nothing
 * but integers can reach the server.
 *
 * Why bytes: per row of a 1000-row statement, the encoding by mysql2 included, writing digits takes 0.33 µs,
 * `+=` 0.58 µs, joining an array of row strings 0.60 µs (Node 20): at 300,000 rows a second 8 % of the loop.
 */
export function upsertStatement(words: Int32Array, signs: KeySigns): string {
  const count = words.length / WORDS_PER_ROW;
  const text = Buffer.allocUnsafe(HEAD.length + count * MAX_ROW_BYTES + TAIL.length);
  let at = text.write(HEAD, 'latin1');
  for (let row = 0; row < words.length; row += WORDS_PER_ROW) {
    if (row > 0) text[at++] = COMMA;
    text[at++] = OPEN;
    at = writeInteger(text, at, words[row + MODID]!, signs.modid);
    at = writeInteger(text, at, words[row + CMDID]!, signs.cmdid);
    at = writeInteger(text, at, words[row + IP]!, signs.ip);
    at = writeInteger(text, at, words[row + PORT]!, signs.port);
    at = writeInteger(text, at, words[row + CALLER]!, signs.caller);
    at = writeInteger(text, at, words[row + SUCC]!, false);
    at = writeInteger(text, at, words[row + ERR]!, false);
    at = writeInteger(text, at, words[row + TS]!, true);
    text[at++] = QUOTE;
    text[at++] = ZERO + (words[row + TAG]! & 1);
    text[at++] = QUOTE;
    text[at++] = CLOSE;
  }
  at += text.write(TAIL, at, 'latin1');
  return text.toString('latin1', 0, at);
}

/** Writes the word's decimal digits and a comma at `at`; returns where the next byte goes. */
function writeInteger(text: Buffer, at: number, word: number, unsigned: boolean): number {
  let rest = unsigned ? word >>> 0 : word;
  if (rest < 0) {
    text[at++] = MINUS;
    rest = -rest;
  }
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits++;
  const end = at + digits;
  for (let place = end - 1; place >= at; place--) {
    const tenth = Math.floor(rest / 10);
    text[place] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  text[end] = COMMA;
  return end + 1;
}
