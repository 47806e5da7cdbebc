import { BITS, DEAD, HOST, NEXT, ORIGIN, PAIR, ROW_WORDS, VIA, VOICE } from './caller-rows.js';
import { setBits } from './counters.js';
import { endIncident } from './happenings.js';
import { NEXT_OF_SERVICE, NEXT_OF_VOICE, PAIR_ROWS, PAIR_VOICE, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';

/**
 * Removes rows, and the pairs, hosts, services and voices that have none left. Lists are gone through once, however
 * many rows of them go.
 */
export function forgetRows(state: ViewState, rows: readonly number[]): void {
  const { words } = state.rows.records;
  const hosts = new Set<number>();
  const pairs = new Set<number>();
  for (const row of rows) {
    const base = row * ROW_WORDS;
    if ((words[base + BITS]! & VIA) !== 0) state.storedKeys.release(words[base + ORIGIN]!);
    state.storedKeys.forgetRow(row);
    setBits(state, row, DEAD);
    hosts.add(words[base + HOST]!);
    pairs.add(words[base + PAIR]!);
    state.pairs.records.words[words[base + PAIR]! * PAIR_WORDS + PAIR_ROWS]!--;
    state.voices.rows[words[base + VOICE]!]!--;
  }
  for (const host of hosts) unlinkRows(state, host);
  for (const row of rows) state.rows.remove(row);
  forgetPairs(state, pairs);
  forgetHosts(state, hosts);
}

function unlinkRows({ rows, hosts, services }: ViewState, host: number): void {
  const { words } = rows.records;
  let kept = 0;
  let first = 0;
  for (let link = hosts.firstRow[host]!; link !== 0; link = words[(link - 1) * ROW_WORDS + NEXT]!) {
    if ((words[(link - 1) * ROW_WORDS + BITS]! & DEAD) !== 0) continue;
    if (kept === 0) first = link;
    else words[(kept - 1) * ROW_WORDS + NEXT] = link;
    kept = link;
  }
  if (kept !== 0) words[(kept - 1) * ROW_WORDS + NEXT] = 0;
  hosts.firstRow[host] = first;
  const service = hosts.service[host]!;
  services.epoch[service]!++;
  services.markDirty(service);
}

function forgetPairs(state: ViewState, touched: ReadonlySet<number>): void {
  const { records } = state.pairs;
  const services = new Set<number>();
  const voices = new Set<number>();
  const empty: number[] = [];
  for (const pair of touched) {
    const base = pair * PAIR_WORDS;
    if (records.words[base + PAIR_ROWS] !== 0) continue;
    empty.push(pair);
    services.add(records.words[base]!);
    voices.add(records.words[base + PAIR_VOICE]!);
    state.services.voices[records.words[base]!]!--;
  }
  for (const service of services)
    state.services.firstPair[service] = unlinkPairs(
      state,
      state.services.firstPair[service]!,
      NEXT_OF_SERVICE,
    );
  for (const voice of voices)
    state.voices.firstPair[voice] = unlinkPairs(state, state.voices.firstPair[voice]!, NEXT_OF_VOICE);
  for (const pair of empty) records.remove(pair);
  for (const voice of voices)
    if (state.voices.rows[voice] === 0 && state.voices.remembered[voice] === 0)
      state.voices.records.remove(voice);
}

/** Takes the pairs without rows out of a list; returns its new first one, plus 1. */
function unlinkPairs({ pairs }: ViewState, from: number, next: number): number {
  const { words } = pairs.records;
  let kept = 0;
  let first = 0;
  for (let link = from; link !== 0; link = words[(link - 1) * PAIR_WORDS + next]!) {
    if (words[(link - 1) * PAIR_WORDS + PAIR_ROWS] === 0) continue;
    if (kept === 0) first = link;
    else words[(kept - 1) * PAIR_WORDS + next] = link;
    kept = link;
  }
  if (kept !== 0) words[(kept - 1) * PAIR_WORDS + next] = 0;
  return first;
}

function forgetHosts(state: ViewState, touched: ReadonlySet<number>): void {
  const { hosts, services, incidents, storedKeys } = state;
  const gone = new Set([...touched].filter((host) => hosts.firstRow[host] === 0));
  if (gone.size > 0) storedKeys.forgetHosts(gone);
  for (const host of gone) {
    const service = hosts.service[host]!;
    const incident = hosts.runs[host]?.incident;
    if (incident) endIncident(state, incident, hosts.runs[host]!.lastOn);
    incidents.forgetHost(host);
    hosts.runs[host] = undefined;
    hosts.remove(host);
    const rest = services.hostsOf[service]!.filter((other) => other !== host);
    services.hostsOf[service] = rest;
    if (rest.length > 0) continue;
    for (const running of [services.blackouts[service], services.errors[service]])
      if (running) endIncident(state, running, state.now);
    services.standings[service] = undefined;
    services.records.remove(service);
  }
}
