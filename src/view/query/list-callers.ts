import { formatIpv4 } from '../../model/ipv4.js';
import { BITS, HOST, HOT, ROW_WORDS } from '../caller-rows.js';
import { HOST_STATE_OF } from '../hosts.js';
import { NEXT_OF_VOICE, PAIR_WORDS } from '../pairs.js';
import { type CallerAnswer, type CallerRow, type CallersAnswer, VOICE_STATES } from '../shapes.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { VOICE_STATE_OF } from '../voices.js';
import { addressMatcher, matchesNone } from './address-prefix.js';
import { headOf } from './head.js';
import { Parameters, Unanswerable } from './parameters.js';
import { roundShare } from './rounding.js';
import { rowAnswer } from './row-answer.js';
import { isShared, isSuspect, voiceAnswer } from './voice-answer.js';

export const CALLERS_PARAMETERS = ['state', 'suspect', 'shared', 'skewed', 'q', 'limit', 'offset'] as const;
export const CALLER_PARAMETERS = ['limit', 'offset'] as const;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** GET /api/callers. Throws `Unanswerable`. */
export function listCallers(view: View, query: URLSearchParams): CallersAnswer {
  const asked = new Parameters(query, CALLERS_PARAMETERS);
  const { state } = view;
  view.settle();
  const { voices } = state;
  const states = asked.words('state', VOICE_STATES);
  const suspect = asked.boolean('suspect');
  const shared = asked.boolean('shared');
  const skewed = asked.boolean('skewed');
  const q = asked.text('q') ?? '';
  const matches = addressMatcher(q) ?? matchesNone;
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const offset = asked.offset();
  const counts = { reporting: 0, connected: 0, gone: 0, table: 0 };
  const found: number[] = [];
  for (let voice = 0; voice < voices.records.high; voice++) {
    if (voices.records.used[voice] !== 1) continue;
    const presence = VOICE_STATE_OF[voices.state[voice]!] ?? 'table';
    counts[presence]++;
    if (
      (!states || states.includes(presence)) &&
      (suspect === undefined || suspect === isSuspect(state, voice)) &&
      (shared === undefined || shared === isShared(state, voice)) &&
      (skewed === undefined || skewed === (voices.skewed[voice] === 1)) &&
      (q === '' || matches(voices.ip(voice), 0))
    )
      found.push(voice);
  }
  found.sort(
    (a, b) =>
      voices.lone[b]! - voices.lone[a]! ||
      voices.hot[b]! - voices.hot[a]! ||
      (voices.ip(a) >>> 0) - (voices.ip(b) >>> 0),
  );
  return {
    ...headOf(view),
    total: found.length,
    counts,
    voices: found.slice(offset, offset + limit).map((voice) => voiceAnswer(state, voice)),
  };
}

/** GET /api/callers/:ip. Throws `Unanswerable`. */
export function showCaller(view: View, ip: number, query: URLSearchParams): CallerAnswer {
  const asked = new Parameters(query, CALLER_PARAMETERS);
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const offset = asked.offset();
  const { state } = view;
  view.settle();
  const voice = state.voices.records.find(ip);
  if (voice < 0) throw new Unanswerable(404, `no report of caller ${formatIpv4(ip)} is known`);
  const rows = rowsOfVoice(state, voice);
  return {
    ...headOf(view),
    voice: voiceAnswer(state, voice),
    total: rows.length,
    rows: rows.slice(offset, offset + limit).map((row) => callerRow(state, row)),
  };
}

/** Those it is alone with first, then the other hot ones, then by service and host. */
function rowsOfVoice(state: ViewState, voice: number): number[] {
  const { pairs, services, voices, rows, hosts } = state;
  const { words } = pairs.records;
  const found: number[] = [];
  for (let link = voices.firstPair[voice]!; link !== 0; ) {
    const base = (link - 1) * PAIR_WORDS;
    for (const host of services.hostsOf[words[base]!]!) {
      const row = rows.records.find(host, voice);
      if (row >= 0) found.push(row);
    }
    link = words[base + NEXT_OF_VOICE]!;
  }
  const hostOf = (row: number) => rows.records.words[row * ROW_WORDS + HOST]!;
  const weight = (row: number) => (isLone(state, row) ? 2 : isHot(state, row) ? 1 : 0);
  const service = (row: number) => hosts.service[hostOf(row)]!;
  return found.sort(
    (a, b) =>
      weight(b) - weight(a) ||
      services.modid(service(a)) - services.modid(service(b)) ||
      services.cmdid(service(a)) - services.cmdid(service(b)) ||
      (hosts.ip(hostOf(a)) >>> 0) - (hosts.ip(hostOf(b)) >>> 0) ||
      hosts.port(hostOf(a)) - hosts.port(hostOf(b)),
  );
}

function isHot({ rows }: ViewState, row: number): boolean {
  return (rows.records.words[row * ROW_WORDS + BITS]! & HOT) !== 0;
}

function isLone(state: ViewState, row: number): boolean {
  return isHot(state, row) && state.hosts.lonely[state.rows.records.words[row * ROW_WORDS + HOST]!] === 1;
}

function callerRow(state: ViewState, row: number): CallerRow {
  const { hosts, nameOf } = state;
  const host = state.rows.records.words[row * ROW_WORDS + HOST]!;
  const answer = rowAnswer(state, row);
  return {
    ...answer,
    name: nameOf(answer.modid, answer.cmdid),
    state: HOST_STATE_OF[hosts.state[host]!] ?? 'idle',
    agree: roundShare(hosts.agree(host)),
    hot: hosts.hot[host]!,
    callers: hosts.callers[host]!,
    lone: isLone(state, row),
  };
}
