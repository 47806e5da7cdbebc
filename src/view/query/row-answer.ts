import { formatIpv4 } from '../../model/ipv4.js';
import {
  BITS,
  CHANGED,
  callsInWindow,
  ERR,
  errorsInWindow,
  FLAG,
  FRESH,
  HEARD,
  HOST,
  HOT,
  hasPrevious,
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
} from '../caller-rows.js';
import { PAIR_FRESH, PAIR_WORDS } from '../pairs.js';
import type { HostRow, Verdict } from '../shapes.js';
import type { ViewState } from '../state.js';

/** What a caller says of a host. */
export function verdictOf({ rows, pairs, settings, now }: ViewState, row: number): Verdict {
  const { words } = rows.records;
  const base = row * ROW_WORDS;
  const bits = words[base + BITS]!;
  if ((bits & FRESH) === 0)
    return pairs.records.words[words[base + PAIR]! * PAIR_WORDS + PAIR_FRESH] === 0 ? 'stale' : 'withdrawn';
  if ((bits & HOT) !== 0) return 'overloaded';
  const calls = callsInWindow(words, base, now);
  if (calls >= settings.minCalls && errorsInWindow(words, base, now) / calls >= settings.errorShare)
    return 'failing';
  return calls > 0 ? 'ok' : 'idle';
}

const LETTERS: Readonly<Record<Verdict, string>> = {
  overloaded: 'O',
  failing: 'F',
  ok: 'k',
  idle: 'i',
  stale: 's',
  withdrawn: 'w',
};

/** The verdict as one letter; `o` for a host that is held for overloaded without a flag. */
export function letterOf(state: ViewState, row: number): string {
  const verdict = verdictOf(state, row);
  const isRecovering =
    verdict === 'overloaded' && (state.rows.records.words[row * ROW_WORDS + BITS]! & FLAG) === 0;
  return isRecovering ? 'o' : LETTERS[verdict];
}

/** A row as answers show it. */
export function rowAnswer(state: ViewState, row: number): HostRow {
  const { clock, hosts, services, voices, storedKeys, now } = state;
  const { words } = state.rows.records;
  const base = row * ROW_WORDS;
  const bits = words[base + BITS]!;
  const host = words[base + HOST]!;
  const service = hosts.service[host]!;
  return {
    modid: services.modid(service),
    cmdid: services.cmdid(service),
    host: `${formatIpv4(hosts.ip(host))}:${hosts.port(host)}`,
    caller: formatIpv4(voices.ip(words[base + VOICE]!)),
    via: (bits & VIA) === 0 ? null : formatIpv4(storedKeys.caller(words[base + ORIGIN]!)),
    verdict: verdictOf(state, row),
    overload: (bits & FLAG) !== 0,
    succ: words[base + SUCC]!,
    err: words[base + ERR]!,
    previous: hasPrevious(words, base, now)
      ? {
          succ: words[base + PREV_SUCC]!,
          err: words[base + PREV_ERR]!,
          endedAt: clock.iso(words[base + PREV_AT]!),
        }
      : null,
    ts: words[base + TS]! >>> 0,
    heard: clock.iso(words[base + HEARD]!),
    lastOn: clock.isoOrNull(words[base + LAST_ON]!),
    changed: clock.isoOrNull(words[base + CHANGED]!),
    source: (bits & LIVE) === 0 ? 'table' : 'live',
  };
}
