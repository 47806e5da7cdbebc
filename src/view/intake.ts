import {
  CALLER,
  CMDID,
  ERR as IN_ERR,
  SUCC as IN_SUCC,
  TS as IN_TS,
  IP,
  MODID,
  PORT,
  TAG,
  WORDS_PER_ROW,
} from '../model/row.js';
import {
  AFTER,
  BITS,
  CHANGED,
  ERR,
  FLAG,
  HEARD,
  HOST,
  LAST_ON,
  LIVE,
  ORIGIN,
  PAIR,
  PREV_AT,
  PREV_ERR,
  PREV_SUCC,
  ROW_WORDS,
  SUCC,
  TS,
  VIA,
  VOICE,
} from './caller-rows.js';
import { noteFlag, setBits } from './counters.js';
import { HOST_WORDS } from './hosts.js';
import { PAIR_HEARD, PAIR_WORDS } from './pairs.js';
import { bitsAt, dueOf } from './passing.js';
import { isLoopback, UNKNOWN_PEER } from './peer-addresses.js';
import { addRow } from './places.js';
import { dropTableRow } from './rows-of-table.js';
import type { ViewState } from './state.js';

/** A voice counts as shared so long after a key of it changed hands twice. */
const SHARED_S = 600;

/** Takes in rows as they were journaled. */
export class Intake {
  readonly #state: ViewState;
  /** Row that was heard last. */
  #last = 0;
  /** What the newest report of the last voice was: rows of one report have these in common. */
  #voice = -1;
  #ts = 0;
  #peer = 0;
  #heard = 0;

  constructor(state: ViewState) {
    this.#state = state;
  }

  /** Packed rows, in order. `peers`: for the numbers in their tags, the numbers of the view. */
  take(rows: Int32Array, peers: ArrayLike<number>): void {
    const { sampling } = this.#state;
    const takesAll = sampling.share === 1;
    // Numbers of voices may be others by now.
    this.#voice = -1;
    for (let at = 0; at + WORDS_PER_ROW <= rows.length; at += WORDS_PER_ROW) {
      const peer = peers[rows[at + TAG]! >>> 1] ?? UNKNOWN_PEER;
      const caller = rows[at + CALLER]!;
      const ip = isLoopback(caller) ? this.#state.peers.ips[peer]! || caller : caller;
      if (!takesAll && !sampling.keeps(ip)) continue;
      const guess = this.#guess(rows, at, ip);
      this.#hear(guess >= 0 ? guess : this.#find(rows, at, ip), rows, at, peer);
    }
  }

  /** The row after the last one, if that is the one; else -1. */
  #guess(from: Int32Array, at: number, ip: number): number {
    const { rows, hosts, voices } = this.#state;
    const { words, used } = rows.records;
    const guess = words[this.#last * ROW_WORDS + AFTER]!;
    if (used[guess] !== 1) return -1;
    const base = guess * ROW_WORDS;
    const keys = hosts.records.words;
    const key = words[base + HOST]! * HOST_WORDS;
    return keys[key + 2] === from[at + IP] &&
      keys[key + 3] === from[at + PORT] &&
      voices.records.words[words[base + VOICE]!] === ip &&
      keys[key + 1] === from[at + CMDID] &&
      keys[key] === from[at + MODID]
      ? guess
      : -1;
  }

  #find(from: Int32Array, at: number, ip: number): number {
    const { rows, hosts, voices } = this.#state;
    const host = hosts.find(from[at + MODID]!, from[at + CMDID]!, from[at + IP]!, from[at + PORT]!);
    const voice = voices.records.find(ip);
    let row = host >= 0 && voice >= 0 ? rows.records.find(host, voice) : -1;
    if (row < 0) {
      row = addRow(this.#state, from, at, ip);
    }
    rows.records.words[this.#last * ROW_WORDS + AFTER] = row;
    return row;
  }

  #hear(row: number, from: Int32Array, at: number, peer: number): void {
    const state = this.#state;
    const { hosts, services, pairs } = state;
    const { words } = state.rows.records;
    const { now } = state;
    this.#last = row;
    const base = row * ROW_WORDS;
    const host = words[base + HOST]!;
    const before = words[base + BITS]!;
    const succ = from[at + IN_SUCC]!;
    const err = from[at + IN_ERR]!;
    const ts = from[at + IN_TS]!;
    const flag = from[at + TAG]! & 1;
    const isRelapse = words[base + HEARD] !== 0 && (before & FLAG) === 0;
    this.#hearVoice(words[base + VOICE]!, ts, peer, from[at + CALLER]!);
    const via = this.#hearKey(row, before, from[at + CALLER]!, peer);
    if ((before & LIVE) !== 0) this.#count(base, host, succ, err, flag === (before & FLAG));
    if (
      words[base + CHANGED] === 0 ||
      succ !== words[base + SUCC] ||
      err !== words[base + ERR] ||
      flag !== (before & FLAG)
    )
      words[base + CHANGED] = now;
    words[base + SUCC] = succ;
    words[base + ERR] = err;
    words[base + TS] = ts;
    words[base + HEARD] = now;
    if (flag === 1) {
      words[base + LAST_ON] = now;
      noteFlag(state, host, now, isRelapse);
    }
    hosts.heard[host] = now;
    const service = hosts.service[host]!;
    services.heard[service] = now;
    if (services.live[service] === 0) {
      services.live[service] = 1;
      services.markDirty(service);
    }
    pairs.records.words[words[base + PAIR]! * PAIR_WORDS + PAIR_HEARD] = now;
    const bits = bitsAt(state, row, (before & ~(FLAG | VIA)) | LIVE | flag | via);
    setBits(state, row, bits);
    state.rows.due[row] = dueOf(state, row, bits);
  }

  /** Counts the calls since the report before. `same`: the flag is as it was. */
  #count(base: number, host: number, succ: number, err: number, same: boolean): void {
    const { rows, hosts, services, now } = this.#state;
    const { words } = rows.records;
    const oldSucc = words[base + SUCC]!;
    const oldErr = words[base + ERR]!;
    let newSucc = succ;
    let newErr = err;
    if (same && succ >= oldSucc && err >= oldErr) {
      newSucc -= oldSucc;
      newErr -= oldErr;
    } else {
      words[base + PREV_SUCC] = oldSucc;
      words[base + PREV_ERR] = oldErr;
      words[base + PREV_AT] = now;
    }
    const calls = newSucc + newErr;
    if (calls === 0) return;
    hosts.rates.add(host, calls, newErr);
    services.rates.add(hosts.service[host]!, calls, newErr);
    hosts.lastCall[host] = now;
  }

  #hearVoice(voice: number, ts: number, peer: number, caller: number): void {
    const { now, voices, clock } = this.#state;
    if (voice === this.#voice && ts === this.#ts && peer === this.#peer && now === this.#heard) return;
    this.#voice = voice;
    this.#ts = ts;
    this.#peer = peer;
    this.#heard = now;
    voices.sample(
      voice,
      ts,
      clock.toWall(now) - (ts >>> 0),
      voices.heard[voice] !== now || voices.live[voice] === 0,
    );
    voices.heard[voice] = now;
    voices.live[voice] = 1;
    voices.peer[voice] = peer;
    voices.via[voice] = Number(caller !== voices.ip(voice));
    voices.viaCaller[voice] = caller;
  }

  /** Follows who writes the stored key of a row; returns its bit VIA. */
  #hearKey(row: number, before: number, caller: number, peer: number): number {
    const { rows, voices, storedKeys, now } = this.#state;
    const { words } = rows.records;
    const base = row * ROW_WORDS;
    const voice = words[base + VOICE]!;
    const host = words[base + HOST]!;
    const hasKey = (before & VIA) !== 0;
    if (caller === voices.ip(voice)) {
      let last = words[base + ORIGIN]!;
      let heard = words[base + HEARD]!;
      if (hasKey) {
        storedKeys.release(last);
        ({ last, heard } = storedKeys.returnToOwn(row, host, caller));
      }
      words[base + ORIGIN] = peer;
      if (last !== peer && last !== UNKNOWN_PEER)
        this.#noteShared(voice, storedKeys.writeRow(row, last, heard, peer, now));
      return 0;
    }
    let key = words[base + ORIGIN]!;
    if (!hasKey || storedKeys.caller(key) !== caller) {
      if (hasKey) storedKeys.release(key);
      else storedKeys.leaveOwn(row, host, voices.ip(voice), key, words[base + HEARD]!);
      key = storedKeys.hold(host, caller);
      words[base + ORIGIN] = key;
      // Read from the table, where nobody knows the machine; now it is known.
      dropTableRow(this.#state, host, caller);
    }
    const last = storedKeys.peer(key);
    const earlier = storedKeys.write(key, peer, now);
    if (earlier > 0) {
      this.#noteShared(voice, earlier);
      const other = voices.records.find(this.#state.peers.ips[last]!);
      if (other >= 0) this.#noteShared(other, earlier);
    }
    return VIA;
  }

  /** `before`: when the key changed hands the time before; at most 0 when it did not. */
  #noteShared(voice: number, before: number): void {
    if (before <= 0) return;
    const { voices } = this.#state;
    voices.sharedUntil[voice] = Math.max(voices.sharedUntil[voice]!, before + SHARED_S);
  }
}
