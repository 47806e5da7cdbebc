import {
  BITS,
  COUNTED,
  callsInWindow,
  ERR,
  FLAG,
  FLAGGED,
  FRESH,
  HEARD,
  HOT,
  LAST_ON,
  PREV_AT,
  PREVIOUS_S,
  ROW_WORDS,
  SUCC,
} from './caller-rows.js';
import { setBits } from './counters.js';
import { forgetRows } from './forgetting.js';
import { BUCKET_S } from './rates.js';
import type { ViewState } from './state.js';

const BUCKETS_A_MINUTE = 6;
/** Longest time that is caught up bucket by bucket; before it lies nothing that is remembered. */
const MAX_BUCKETS = 36 * BUCKETS_A_MINUTE;

/** What a row is at a second by its age alone: its bits, the lasting ones kept. */
export function bitsAt(state: ViewState, row: number, lasting: number): number {
  const { words } = state.rows.records;
  const { freshS, holdS } = state.settings;
  const base = row * ROW_WORDS;
  const { now } = state;
  if (now - words[base + HEARD]! > freshS) return lasting & ~(FRESH | HOT | FLAGGED | COUNTED);
  let bits = (lasting & ~(FRESH | HOT | FLAGGED | COUNTED)) | FRESH;
  const lastOn = words[base + LAST_ON]!;
  if ((lasting & FLAG) !== 0) bits |= HOT | FLAGGED;
  else if (lastOn !== 0 && now - lastOn <= holdS) bits |= HOT;
  if (callsInWindow(words, base, now) > 0) bits |= COUNTED;
  return bits;
}

/** The second at which a row with these bits becomes another one by time alone. */
export function dueOf(state: ViewState, row: number, bits: number): number {
  const { words } = state.rows.records;
  const { freshS, holdS, forgetS } = state.settings;
  const base = row * ROW_WORDS;
  const heard = words[base + HEARD]!;
  if ((bits & FRESH) === 0) return heard + forgetS + 1;
  let due = heard + freshS + 1;
  if ((bits & (HOT | FLAG)) === HOT) due = Math.min(due, words[base + LAST_ON]! + holdS + 1);
  if ((bits & COUNTED) !== 0 && words[base + SUCC] === 0 && words[base + ERR] === 0)
    due = Math.min(due, words[base + PREV_AT]! + PREVIOUS_S + 1);
  return due;
}

/** Moves the state on to a second: closes buckets and minutes, re-evaluates the rows that are due. */
export function moveTo(state: ViewState, second: number): void {
  if (second <= state.now) return;
  const last = Math.floor(second / BUCKET_S);
  const first = Math.max(Math.floor(state.now / BUCKET_S), last - MAX_BUCKETS);
  for (let bucket = first; bucket < last; bucket++) closeBucket(state, bucket);
  state.now = second;
  scanDue(state);
}

function closeBucket(state: ViewState, bucket: number): void {
  const { hosts, services, sampling } = state;
  hosts.rates.closeBucket(hosts.records.high, (host) => {
    if (hosts.records.used[host] === 1) services.markDirty(hosts.service[host]!);
  });
  services.closeBucket(sampling.share, (service) => {
    if (services.records.used[service] === 1) services.markDirty(service);
  });
  if ((bucket + 1) % BUCKETS_A_MINUTE !== 0) return;
  const minute = (bucket + 1) / BUCKETS_A_MINUTE - 1;
  hosts.keepMinute(minute);
  services.keepMinute(minute);
  // What is shown of the last half hour has moved on.
  for (let service = 0; service < services.records.high; service++)
    if (services.records.used[service] === 1) services.markDirty(service);
}

/** Looks at all rows as if each were due: what their age means has changed. */
export function reassessRows(state: ViewState): void {
  const { due, records } = state.rows;
  for (let row = 0; row < records.high; row++) if (records.used[row] === 1) due[row] = state.now;
  scanDue(state);
}

/** One pass in order over one column: a few milliseconds for millions of rows. */
function scanDue(state: ViewState): void {
  const { due, records } = state.rows;
  const { now } = state;
  const { forgetS } = state.settings;
  const { words, high } = records;
  let forgotten: number[] | undefined;
  for (let row = 0; row < high; row++) {
    const at = due[row]!;
    if (at > now || at === 0) continue;
    const base = row * ROW_WORDS;
    const bits = bitsAt(state, row, words[base + BITS]!);
    setBits(state, row, bits);
    if (now - words[base + HEARD]! > forgetS) {
      forgotten ??= [];
      forgotten.push(row);
    } else due[row] = dueOf(state, row, bits);
  }
  if (forgotten) forgetRows(state, forgotten);
}
