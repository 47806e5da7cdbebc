import {
  BITS,
  COUNTED,
  FLAGGED,
  FRESH,
  HEARD,
  HOST,
  HOT,
  LAST_ON,
  PAIR,
  ROW_WORDS,
  VOICE,
} from './caller-rows.js';
import { MAX_RELAPSES } from './incidents.js';
import { PAIR_FRESH, PAIR_HOT, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';

const VOTING = FRESH | HOT;
const COUNTING = VOTING | FLAGGED | COUNTED;

/** Change of a bit: -1, 0 or 1. */
function step(before: number, after: number, bit: number): number {
  return Number((after & bit) !== 0) - Number((before & bit) !== 0);
}

/** Gives a row new bits, and adjusts every counter that they are part of. */
export function setBits(state: ViewState, row: number, bits: number): void {
  const { words } = state.rows.records;
  const base = row * ROW_WORDS;
  const before = words[base + BITS]!;
  words[base + BITS] = bits;
  const changed = before ^ bits;
  if ((changed & COUNTING) === 0) return;
  const { hosts, services } = state;
  const host = words[base + HOST]!;
  services.markDirty(hosts.service[host]!);
  hosts.flagged[host]! += step(before, bits, FLAGGED);
  hosts.counted[host]! += step(before, bits, COUNTED);
  if ((changed & VOTING) === 0) return;
  const fresh = step(before, bits, FRESH);
  const hot = step(before, bits, HOT);
  countPair(state, words[base + PAIR]!, fresh, hot);
  countHost(state, host, fresh, hot);
  const voice = words[base + VOICE]!;
  state.voices.hot[voice]! += hot;
  if (hosts.lonely[host] === 1) state.voices.lone[voice]! += hot;
  if (hot > 0 && hosts.runs[host] === undefined) beginRun(state, base, host, voice);
}

function countPair(state: ViewState, pair: number, fresh: number, hot: number): void {
  const { words } = state.pairs.records;
  const base = pair * PAIR_WORDS;
  const service = words[base]!;
  const freshBefore = words[base + PAIR_FRESH]!;
  const hotBefore = words[base + PAIR_HOT]!;
  const freshNow = freshBefore + fresh;
  const hotNow = hotBefore + hot;
  words[base + PAIR_FRESH] = freshNow;
  words[base + PAIR_HOT] = hotNow;
  const { services } = state;
  services.callers[service]! += Number(freshNow > 0) - Number(freshBefore > 0);
  services.affected[service]! += Number(hotNow > 0) - Number(hotBefore > 0);
  services.blackedOut[service]! +=
    Number(freshNow > 0 && hotNow === freshNow) - Number(freshBefore > 0 && hotBefore === freshBefore);
  if (fresh !== 0) services.epoch[service]!++;
}

function countHost(state: ViewState, host: number, fresh: number, hot: number): void {
  const { hosts, services } = state;
  const before = hosts.callers[host]!;
  const now = before + fresh;
  hosts.callers[host] = now;
  hosts.hot[host]! += hot;
  services.freshHosts[hosts.service[host]!]! += Number(now > 0) - Number(before > 0);
}

function beginRun({ rows, hosts, voices }: ViewState, base: number, host: number, voice: number): void {
  const { words } = rows.records;
  hosts.runs[host] = {
    began: words[base + HEARD]!,
    calls: hosts.rates.recentCalls(host),
    errors: hosts.rates.recentErrors(host),
    firstCaller: voices.ip(voice),
    lastOn: words[base + LAST_ON]!,
    relapses: 0,
    peakHot: 0,
    callers: 0,
    incident: undefined,
  };
}

/**
 * A caller reported the flag. `isRelapse`: its report before had none. What the table tells of the time before the host
 * became hot is no part of that.
 */
export function noteFlag(
  { hosts, services }: ViewState,
  host: number,
  heard: number,
  isRelapse: boolean,
): void {
  const run = hosts.runs[host];
  if (!run || heard < run.began) return;
  if (heard > run.lastOn) run.lastOn = heard;
  if (!isRelapse || run.relapses >= MAX_RELAPSES) return;
  run.relapses++;
  services.markDirty(hosts.service[host]!);
}
