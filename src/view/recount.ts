import { BITS, COUNTED, FLAGGED, FRESH, HOT, NEXT, PAIR, ROW_WORDS } from './caller-rows.js';
import { NEXT_OF_SERVICE, PAIR_FRESH, PAIR_HOT, PAIR_WORDS } from './pairs.js';
import { bitsAt } from './passing.js';
import type { ViewState } from './state.js';

/**
 * Counts one service from its rows and compares with the counters kept. Returns how many differ; those are put
 * right.
 */
export function recountService(state: ViewState, service: number): number {
  const { hosts, services, pairs } = state;
  const { words: pairWords } = pairs.records;
  let wrong = 0;
  const check = (column: Int32Array, index: number, wanted: number) => {
    if (column[index] === wanted) return;
    wrong++;
    column[index] = wanted;
  };
  const byPair = new Map<number, { fresh: number; hot: number }>();
  for (let link = services.firstPair[service]!; link !== 0; ) {
    byPair.set(link - 1, { fresh: 0, hot: 0 });
    link = pairWords[(link - 1) * PAIR_WORDS + NEXT_OF_SERVICE]!;
  }
  let freshHosts = 0;
  for (const host of services.hostsOf[service]!) {
    const counted = countHost(state, host, byPair);
    check(hosts.callers, host, counted.callers);
    check(hosts.hot, host, counted.hot);
    check(hosts.flagged, host, counted.flagged);
    check(hosts.counted, host, counted.counted);
    if (counted.callers > 0) freshHosts++;
  }
  let [callers, affected, blackedOut] = [0, 0, 0];
  for (const [pair, { fresh, hot }] of byPair) {
    check(pairWords, pair * PAIR_WORDS + PAIR_FRESH, fresh);
    check(pairWords, pair * PAIR_WORDS + PAIR_HOT, hot);
    if (fresh > 0) callers++;
    if (hot > 0) affected++;
    if (fresh > 0 && hot === fresh) blackedOut++;
  }
  check(services.freshHosts, service, freshHosts);
  check(services.callers, service, callers);
  check(services.affected, service, affected);
  check(services.blackedOut, service, blackedOut);
  check(services.voices, service, byPair.size);
  if (wrong > 0) services.markDirty(service);
  return wrong;
}

function countHost(
  state: ViewState,
  host: number,
  byPair: ReadonlyMap<number, { fresh: number; hot: number }>,
): { callers: number; hot: number; flagged: number; counted: number } {
  const { words } = state.rows.records;
  const counts = { callers: 0, hot: 0, flagged: 0, counted: 0 };
  for (let link = state.hosts.firstRow[host]!; link !== 0; ) {
    const base = (link - 1) * ROW_WORDS;
    const bits = bitsAt(state, link - 1, words[base + BITS]!);
    link = words[base + NEXT]!;
    const pair = byPair.get(words[base + PAIR]!);
    if ((bits & FRESH) !== 0) {
      counts.callers++;
      if (pair) pair.fresh++;
    }
    if ((bits & HOT) !== 0) {
      counts.hot++;
      if (pair) pair.hot++;
    }
    if ((bits & FLAGGED) !== 0) counts.flagged++;
    if ((bits & COUNTED) !== 0) counts.counted++;
  }
  return counts;
}
