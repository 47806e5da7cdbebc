import { tellService } from './happenings.js';
import { assessHost } from './host-assessment.js';
import { DISPUTED, FAILING, NOTED, OVERLOADED, STALE, WITHDRAWN } from './hosts.js';
import { NEXT_OF_SERVICE, PAIR_HEARD, PAIR_VOICE, PAIR_WORDS } from './pairs.js';
import { ALL_HOSTS_SHARE, BLACKOUT_SHARE, type HostsSeen, reasonsOf } from './reasons.js';
import { blackoutLastOn, followBlackout, followErrors } from './service-incidents.js';
import { LIVE_SERVICE, QUIET, SILENT, TABLE } from './services.js';
import { type Standing, standsAlike } from './standing.js';
import type { ViewState } from './state.js';
import { CONNECTED, GONE, REPORTING } from './voices.js';

/** Voices heard so long ago decide whether a service is quiet or silent. */
const LATELY_S = 900;
const OUTAGE_LEVEL = 4;
const OVERLOADED_LEVEL = 3;
const FAILING_LEVEL = 2;
const NOTED_LEVEL = 1;

/** Looks at a service and its hosts anew, and keeps how it stands. Returns whether that would be shown otherwise. */
export function assessService(state: ViewState, service: number): boolean {
  const { services, settings } = state;
  // Those that recover are forgotten when they are looked at.
  const flaggedUntil = services.blackouts[service] ? blackoutLastOn(state, service) : state.now;
  const seen = lookAtHosts(state, service);
  const callers = services.callers[service]!;
  const blackedOut = services.blackedOut[service]!;
  const avoided = seen.hosts === 0 ? 0 : seen.agree / seen.hosts;
  const blackoutShare = callers === 0 ? 0 : blackedOut / callers;
  const window = services.rates.window(service, settings.minCalls);
  const errorShare = services.rates.share(service, window);
  const freshness = freshnessOf(state, service);
  followBlackout(state, service, flaggedUntil);
  const recheck = Math.min(freshness.recheck, seen.recheck, followErrors(state, service, errorShare));
  services.due[service] = recheck === Number.POSITIVE_INFINITY ? 0 : recheck;
  const isOutage = seen.hosts >= 1 && (blackoutShare >= BLACKOUT_SHARE || avoided >= ALL_HOSTS_SHARE);
  const hasErrors = errorShare >= settings.errorShare && window > 0;
  const level = isOutage
    ? OUTAGE_LEVEL
    : seen.overloaded > 0
      ? OVERLOADED_LEVEL
      : hasErrors || seen.failing > 0 || seen.disputed > 0 || blackedOut > 0
        ? FAILING_LEVEL
        : seen.noted > 0 || freshness.state === SILENT
          ? NOTED_LEVEL
          : 0;
  noteLevel(state, service, level, freshness.state);
  const reasons =
    level === 0
      ? NO_REASONS
      : reasonsOf(
          {
            seen,
            callers,
            blackedOut,
            avoided,
            errorShare,
            window,
            isSilent: freshness.state === SILENT,
            gone: freshness.gone,
            heardLately: freshness.heardLately,
            wasOverloaded: services.lastLevel[service]! >= OVERLOADED_LEVEL,
          },
          settings.errorShare,
        );
  const standing: Standing = {
    service,
    modid: services.modid(service),
    cmdid: services.cmdid(service),
    level,
    trouble:
      Math.round((level + Math.min(0.999, Math.max(avoided, blackoutShare, errorShare))) * 1000) / 1000,
    state: freshness.state,
    flapping: seen.flapping,
    since: sinceOf(state, service, level, seen, hasErrors),
    reasons,
    hosts: seen.hosts,
    overloaded: seen.overloaded,
    disputed: seen.disputed,
    failing: seen.failing,
    noted: seen.noted,
    withdrawn: seen.withdrawn,
    stale: seen.stale,
    fresh: callers,
    affected: services.affected[service]!,
    blackedOut,
    silent: services.voices[service]! - callers,
    calls60: services.rates.calls60[service]!,
    errors60: services.rates.errors60[service]!,
    calls300: services.rates.calls300[service]!,
    errors300: services.rates.errors300[service]!,
    minute: services.minutes.newest,
    hidden: freshness.hidden,
    sampled: state.sampling.share,
  };
  services.overloaded[service] = seen.overloaded;
  const before = services.standings[service];
  if (before && standsAlike(before, standing)) return false;
  services.standings[service] = standing;
  if (before?.state !== standing.state) tellFreshness(state, service, before?.state, standing.state);
  return true;
}

const NO_REASONS: readonly never[] = [];

interface Seen extends HostsSeen {
  /** Sum of what share of its callers holds each host for overloaded. */
  agree: number;
  withdrawn: number;
  stale: number;
  flapping: boolean;
  /** Begin of the longest running incidents of overloaded, of disputed or failing, and of noted hosts; 0: none. */
  since: [overloaded: number, disputed: number, noted: number];
  recheck: number;
}

function lookAtHosts(state: ViewState, service: number): Seen {
  const { hosts, services, incidents, now } = state;
  const seen: Seen = {
    hosts: services.freshHosts[service]!,
    agree: 0,
    overloaded: 0,
    disputed: 0,
    failing: 0,
    noted: 0,
    withdrawn: 0,
    stale: 0,
    overloadedHot: 0,
    overloadedCallers: 0,
    disputedHot: 0,
    disputedCallers: 0,
    notedHot: 0,
    notedCallers: 0,
    failingShare: 0,
    failingWindow: 0,
    flapping: false,
    since: [0, 0, 0],
    recheck: Number.POSITIVE_INFINITY,
  };
  for (const host of services.hostsOf[service]!) {
    const hostState = assessHost(state, host);
    seen.agree += hosts.agree(host);
    const flapsUntil = incidents.flapsUntil(host, now);
    if (flapsUntil > 0) {
      seen.flapping = true;
      seen.recheck = Math.min(seen.recheck, flapsUntil + 1);
    }
    if (hostState >= WITHDRAWN) noteHost(state, host, hostState, seen);
  }
  return seen;
}

function noteHost(state: ViewState, host: number, hostState: number, seen: Seen): void {
  const { hosts, settings } = state;
  const hot = hosts.hot[host]!;
  const callers = hosts.callers[host]!;
  const began = hosts.runs[host]?.incident?.began ?? 0;
  switch (hostState) {
    case WITHDRAWN:
      seen.withdrawn++;
      break;
    case STALE:
      seen.stale++;
      break;
    case OVERLOADED:
      seen.overloaded++;
      seen.since[0] = earlier(seen.since[0], began);
      if (hot / callers > seen.overloadedHot / seen.overloadedCallers || seen.overloadedCallers === 0)
        [seen.overloadedHot, seen.overloadedCallers] = [hot, callers];
      break;
    case DISPUTED:
      seen.disputed++;
      seen.since[1] = earlier(seen.since[1], began);
      if (hot / callers > seen.disputedHot / seen.disputedCallers || seen.disputedCallers === 0)
        [seen.disputedHot, seen.disputedCallers] = [hot, callers];
      break;
    case FAILING: {
      seen.failing++;
      seen.since[1] = earlier(seen.since[1], began);
      const window = hosts.rates.window(host, settings.minCalls);
      const share = hosts.rates.share(host, window);
      if (share > seen.failingShare) [seen.failingShare, seen.failingWindow] = [share, window];
      break;
    }
    case NOTED:
      seen.noted++;
      seen.since[2] = earlier(seen.since[2], began);
      if (hot / callers > seen.notedHot / seen.notedCallers || seen.notedCallers === 0)
        [seen.notedHot, seen.notedCallers] = [hot, callers];
      break;
  }
}

/** The earlier of two seconds; 0 is none. */
function earlier(a: number, b: number): number {
  if (a === 0 || b === 0) return a + b;
  return Math.min(a, b);
}

/** Begin of the longest running incident that the level rests on; 0: none. */
function sinceOf(
  { services }: ViewState,
  service: number,
  level: number,
  seen: Seen,
  hasErrors: boolean,
): number {
  const blackout = services.blackouts[service]?.began ?? 0;
  const [overloaded, disputed, noted] = seen.since;
  switch (level) {
    case OUTAGE_LEVEL:
      return earlier(blackout, overloaded);
    case OVERLOADED_LEVEL:
      return overloaded;
    case FAILING_LEVEL:
      return earlier(earlier(blackout, disputed), hasErrors ? (services.errors[service]?.began ?? 0) : 0);
    case NOTED_LEVEL:
      return noted;
    default:
      return 0;
  }
}

function freshnessOf(state: ViewState, service: number) {
  const { services, pairs, voices, settings, now } = state;
  const found = {
    state: LIVE_SERVICE,
    recheck: Number.POSITIVE_INFINITY,
    hidden: false,
    gone: 0,
    heardLately: 0,
  };
  const hideAt = services.heard[service]! + settings.hideS + 1;
  if (services.callers[service] === 0) {
    found.hidden = now >= hideAt;
    if (!found.hidden) found.recheck = hideAt;
  }
  if (services.live[service] === 0) return { ...found, state: TABLE };
  if (services.callers[service]! > 0) return found;
  const { words } = pairs.records;
  let isQuiet = true;
  for (let link = services.firstPair[service]!; link !== 0; ) {
    const base = (link - 1) * PAIR_WORDS;
    link = words[base + NEXT_OF_SERVICE]!;
    const heard = words[base + PAIR_HEARD]!;
    if (now - heard > LATELY_S) continue;
    found.heardLately++;
    found.recheck = Math.min(found.recheck, heard + LATELY_S + 1);
    const voice = voices.state[words[base + PAIR_VOICE]!];
    if (voice === GONE) found.gone++;
    if (voice !== REPORTING && voice !== CONNECTED) isQuiet = false;
  }
  return { ...found, state: isQuiet ? QUIET : SILENT };
}

function noteLevel({ services }: ViewState, service: number, level: number, freshness: number): void {
  services.level[service] = level;
  services.state[service] = freshness;
  if (services.callers[service]! > 0) services.lastLevel[service] = level;
}

function tellFreshness(state: ViewState, service: number, before: number | undefined, now: number): void {
  if (now === SILENT && before !== undefined && before !== TABLE)
    tellService(state, service, 'service-silent');
  if (now === LIVE_SERVICE && before === SILENT) tellService(state, service, 'service-back');
}
