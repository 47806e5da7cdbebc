import { BITS, HOT, NEXT, PAIR, ROW_WORDS, VOICE } from './caller-rows.js';
import { beginIncident, endIncident, tellHostNew, tellHostWithdrawn } from './happenings.js';
import { DISPUTED, FAILING, IDLE, NOTED, OK, OVERLOADED, STALE, UNSEEN, WITHDRAWN } from './hosts.js';
import { type IncidentRecord, MAX_RELAPSES, type Run } from './incidents.js';
import { PAIR_FRESH, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';

/** Share of its callers that makes a host overloaded, and disputed. */
const OVERLOADED_SHARE = 0.5;
const DISPUTED_SHARE = 0.2;
/** So many hot callers make a host disputed whatever their share is. */
const DISPUTED_HOT = 3;

/** Looks at a host anew, keeps its state and its incident; returns the state. */
export function assessHost(state: ViewState, host: number): number {
  const { hosts } = state;
  const before = hosts.state[host]!;
  const now = stateOf(state, host);
  hosts.state[host] = now;
  if (now !== before) tellChange(state, host, before, now);
  const callers = hosts.callers[host]!;
  const hot = hosts.hot[host]!;
  const isLonely = callers >= 2 && hot / callers < OVERLOADED_SHARE ? 1 : 0;
  if (isLonely !== hosts.lonely[host]) setLonely(state, host, isLonely);
  if (hosts.runs[host]) followRun(state, host, now);
  return now;
}

function stateOf(state: ViewState, host: number): number {
  const { hosts, settings } = state;
  const callers = hosts.callers[host]!;
  if (callers === 0) return hasStale(state, host) ? STALE : WITHDRAWN;
  const hot = hosts.hot[host]!;
  const agree = hot / callers;
  if (agree >= OVERLOADED_SHARE) return OVERLOADED;
  if (agree >= DISPUTED_SHARE || hot >= DISPUTED_HOT) return DISPUTED;
  const window = hosts.rates.window(host, settings.minCalls);
  if (window > 0 && hosts.rates.share(host, window) >= settings.errorShare) return FAILING;
  if (hot > 0) return NOTED;
  return hosts.counted[host]! > 0 ? OK : IDLE;
}

/** Whether some row of a host without fresh ones is of a voice that the service does not hear either. */
function hasStale({ hosts, services, rows, pairs }: ViewState, host: number): boolean {
  const epoch = services.epoch[hosts.service[host]!]!;
  if (hosts.epoch[host] !== epoch) {
    const { words } = rows.records;
    hosts.epoch[host] = epoch;
    hosts.hasStale[host] = 0;
    for (let link = hosts.firstRow[host]!; link !== 0; link = words[(link - 1) * ROW_WORDS + NEXT]!) {
      const pair = words[(link - 1) * ROW_WORDS + PAIR]!;
      if (pairs.records.words[pair * PAIR_WORDS + PAIR_FRESH] !== 0) continue;
      hosts.hasStale[host] = 1;
      break;
    }
  }
  return hosts.hasStale[host] === 1;
}

function tellChange(state: ViewState, host: number, before: number, now: number): void {
  if (now === WITHDRAWN) {
    if (before !== UNSEEN) tellHostWithdrawn(state, host);
    return;
  }
  if (now === STALE) return;
  const { services, hosts, settings } = state;
  const isKnownService = state.now - services.created[hosts.service[host]!]! > settings.freshS;
  if (before === WITHDRAWN || (before === UNSEEN && isKnownService)) tellHostNew(state, host);
}

function setLonely({ hosts, rows, voices }: ViewState, host: number, isLonely: 0 | 1): void {
  const { words } = rows.records;
  hosts.lonely[host] = isLonely;
  if (hosts.hot[host] === 0) return;
  const step = isLonely === 1 ? 1 : -1;
  for (let link = hosts.firstRow[host]!; link !== 0; link = words[(link - 1) * ROW_WORDS + NEXT]!) {
    const base = (link - 1) * ROW_WORDS;
    if ((words[base + BITS]! & HOT) !== 0) voices.lone[words[base + VOICE]!]! += step;
  }
}

function followRun(state: ViewState, host: number, hostState: number): void {
  const { hosts, services, incidents } = state;
  const run = hosts.runs[host]!;
  const hot = hosts.hot[host]!;
  if (hot === 0) {
    if (run.incident) {
      run.incident.relapses = run.relapses;
      endIncident(state, run.incident, run.lastOn);
    }
    hosts.runs[host] = undefined;
    return;
  }
  if (hot > run.peakHot) {
    run.peakHot = hot;
    run.callers = hosts.callers[host]!;
  }
  const service = hosts.service[host]!;
  const place = {
    ...{ modid: services.modid(service), cmdid: services.cmdid(service) },
    ...{ ip: hosts.ip(host), port: hosts.port(host) },
  };
  if (!run.incident) {
    // One that ran when the process before ended goes on with the first caller that still says so.
    const earlier = state.resuming.take('host', place);
    if (earlier) resumeRun(run, earlier);
    if (earlier) incidents.noteBegan(host, earlier.began);
  }
  if (!run.incident && (hostState === DISPUTED || hostState === OVERLOADED)) {
    incidents.noteBegan(host, run.began);
    run.incident = beginIncident(state, {
      kind: 'host',
      ...place,
      began: run.began,
      peakHot: run.peakHot,
      callers: run.callers,
      relapses: run.relapses,
      calls: run.calls,
      errors: run.errors,
      firstCaller: run.firstCaller,
    });
  }
  if (run.incident) {
    run.incident.peakHot = run.peakHot;
    run.incident.callers = run.callers;
    run.incident.relapses = run.relapses;
    run.incident.lastOn = run.lastOn;
  }
}

function resumeRun(run: Run, incident: IncidentRecord): void {
  run.incident = incident;
  run.began = incident.began;
  run.lastOn = Math.max(run.lastOn, incident.lastOn);
  run.relapses = Math.min(run.relapses + incident.relapses, MAX_RELAPSES);
  if (incident.peakHot <= run.peakHot) return;
  run.peakHot = incident.peakHot;
  run.callers = incident.callers;
}
