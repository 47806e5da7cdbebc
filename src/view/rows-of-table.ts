import {
  CALLER,
  CMDID,
  ERR as IN_ERR,
  SUCC as IN_SUCC,
  TS as IN_TS,
  IP,
  MODID,
  PORT,
  SINCE,
  TAG,
  WORDS_PER_ROW,
} from '../model/row.js';
import {
  BITS,
  CAUGHT,
  CHANGED,
  ERR,
  FLAG,
  HEARD,
  HOST,
  LAST_ON,
  LIVE,
  PAIR,
  ROW_WORDS,
  SUCC,
  SWEPT,
  TS,
  VIA,
  VOICE,
} from './caller-rows.js';
import { noteFlag, setBits } from './counters.js';
import { forgetRows } from './forgetting.js';
import { PAIR_HEARD, PAIR_WORDS } from './pairs.js';
import { bitsAt, dueOf } from './passing.js';
import { isLoopback } from './peer-addresses.js';
import { addRow } from './places.js';
import type { ViewState } from './state.js';

/** What is done with the rows that are read. */
export interface TableReading {
  /** They wait for the store: what the table has of their keys is older. */
  readonly isPending?: boolean;
  /**
   * Rows heard up to this second may have missed batches: the table's values replace theirs, if they are not older.
   * 0: live rows are always right.
   */
  readonly missedUntil: number;
}

/** What a reading of the table has come upon. */
export interface TableCount {
  /** Rows that were new, or newer than the one known. */
  taken: number;
  /** Rows that were heard, and which the table has a newer report of: another reporter writes to it. */
  foreign: number;
}

/** Takes in packed rows as the table has them: their time is `ts`, and what was heard stays. */
export function takeTableRows(
  state: ViewState,
  rows: Int32Array,
  reading: TableReading,
  count: TableCount,
): void {
  const { settings, now, sampling, hosts, voices, storedKeys } = state;
  for (let at = 0; at + WORDS_PER_ROW <= rows.length; at += WORDS_PER_ROW) {
    const heard = heardAt(state, rows, at, reading);
    const caller = rows[at + CALLER]!;
    if (!sampling.keeps(caller)) continue;
    const host = hosts.find(rows[at + MODID]!, rows[at + CMDID]!, rows[at + IP]!, rows[at + PORT]!);
    const isKnownByMachine = host >= 0 && isLoopback(caller) && storedKeys.isHeld(host, caller);
    if (isKnownByMachine) continue;
    const voice = voices.records.find(caller);
    const row = host >= 0 && voice >= 0 ? state.rows.records.find(host, voice) : -1;
    if (row < 0) {
      if (now - heard > settings.forgetS) continue;
      const added = addRow(state, rows, at, caller);
      if (reading.isPending) state.rows.records.words[added * ROW_WORDS + BITS] = CAUGHT;
      write(state, added, rows, at, heard);
      count.taken++;
    } else if (offer(state, row, rows, at, heard, reading, count)) count.taken++;
  }
}

/** By the agent's clock; what waits for the store has been heard when it began to wait, or later. */
function heardAt(
  { clock, now }: ViewState,
  rows: Int32Array,
  at: number,
  { isPending }: TableReading,
): number {
  const heard = Math.min(clock.fromWall(rows[at + IN_TS]! >>> 0), now);
  return isPending ? Math.max(heard, Math.min(clock.fromEven(rows[at + SINCE]! >>> 0), now)) : heard;
}

/** Offers the table's value to a row that is there; true when it was taken. */
function offer(
  state: ViewState,
  row: number,
  from: Int32Array,
  at: number,
  heard: number,
  { isPending = false, missedUntil }: TableReading,
  count: TableCount,
): boolean {
  const { words } = state.rows.records;
  const base = row * ROW_WORDS;
  const before = words[base + BITS]!;
  words[base + BITS] = before | SWEPT | (isPending ? CAUGHT : 0);
  if ((before & CAUGHT) !== 0 && !isPending) return false;
  const isOlder = from[at + IN_TS]! >>> 0 < words[base + TS]! >>> 0;
  if ((before & LIVE) === 0) {
    const isForgotten = state.now - heard > state.settings.forgetS;
    if (isOlder || isForgotten || isKnown(words, base, before & FLAG, from, at)) return false;
    write(state, row, from, at, heard);
    return true;
  }
  if (words[base + HEARD]! > missedUntil) {
    if (from[at + IN_TS]! >>> 0 > words[base + TS]! >>> 0 && !isPending) count.foreign++;
    return false;
  }
  if (isOlder) return false;
  write(state, row, from, at, Math.max(heard, words[base + HEARD]!));
  return true;
}

function isKnown(words: Int32Array, base: number, flag: number, from: Int32Array, at: number): boolean {
  return (
    words[base + SUCC] === from[at + IN_SUCC] &&
    words[base + ERR] === from[at + IN_ERR] &&
    words[base + TS] === from[at + IN_TS] &&
    flag === (from[at + TAG]! & 1)
  );
}

/** Values of the table count no calls: what part of the window is new is not known. */
function write(state: ViewState, row: number, from: Int32Array, at: number, heard: number): void {
  const { words } = state.rows.records;
  const base = row * ROW_WORDS;
  const before = words[base + BITS]!;
  const flag = from[at + TAG]! & 1;
  const succ = from[at + IN_SUCC]!;
  const err = from[at + IN_ERR]!;
  const isRelapse = words[base + HEARD] !== 0 && (before & FLAG) === 0;
  if (
    words[base + CHANGED] === 0 ||
    succ !== words[base + SUCC] ||
    err !== words[base + ERR] ||
    flag !== (before & FLAG)
  )
    words[base + CHANGED] = heard;
  words[base + SUCC] = succ;
  words[base + ERR] = err;
  words[base + TS] = from[at + IN_TS]!;
  words[base + HEARD] = heard;
  const host = words[base + HOST]!;
  if (flag === 1) {
    words[base + LAST_ON] = heard;
    noteFlag(state, host, heard, isRelapse);
  }
  noteHeard(state, base, heard);
  const bits = bitsAt(state, row, (before & (LIVE | VIA | CAUGHT)) | SWEPT | flag);
  setBits(state, row, bits);
  state.rows.due[row] = dueOf(state, row, bits);
}

function noteHeard({ rows, hosts, services, voices, pairs }: ViewState, base: number, heard: number): void {
  const { words } = rows.records;
  const host = words[base + HOST]!;
  const service = hosts.service[host]!;
  const voice = words[base + VOICE]!;
  const pair = words[base + PAIR]! * PAIR_WORDS + PAIR_HEARD;
  hosts.heard[host] = Math.max(hosts.heard[host]!, heard);
  // Also what is not fresh decides whether a service is quiet or silent.
  if (heard > services.heard[service]! || heard > pairs.records.words[pair]!) services.markDirty(service);
  services.heard[service] = Math.max(services.heard[service]!, heard);
  voices.heard[voice] = Math.max(voices.heard[voice]!, heard);
  pairs.records.words[pair] = Math.max(pairs.records.words[pair]!, heard);
}

/** A live row has come for a key of the table whose machine was not known: the row from the table goes. */
export function dropTableRow(state: ViewState, host: number, caller: number): void {
  const voice = state.voices.records.find(caller);
  const row = voice < 0 ? -1 : state.rows.records.find(host, voice);
  if (row < 0 || (state.rows.records.words[row * ROW_WORDS + BITS]! & LIVE) !== 0) return;
  forgetRows(state, [row]);
}

/** Begins a reading: no row has been seen in it. */
export function beginReading({ rows }: ViewState): void {
  const { words, high } = rows.records;
  for (let row = 0; row < high; row++) words[row * ROW_WORDS + BITS]! &= ~(SWEPT | CAUGHT);
}

/**
 * Ends a sweep that read the whole table: rows it has not seen, and which were last heard before a second, are gone
 * from the table and are forgotten. Returns how many. Rows of machines told apart by their address stay.
 */
export function endSweep(state: ViewState, heardBefore: number): number {
  const { words, used, high } = state.rows.records;
  const gone: number[] = [];
  for (let row = 0; row < high; row++) {
    const base = row * ROW_WORDS;
    if (used[row] !== 1 || (words[base + BITS]! & (SWEPT | VIA)) !== 0) continue;
    if (words[base + HEARD]! < heardBefore) gone.push(row);
  }
  if (gone.length > 0) forgetRows(state, gone);
  return gone.length;
}
