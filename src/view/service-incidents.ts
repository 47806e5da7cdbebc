import { beginIncident, endIncident } from './happenings.js';
import type { IncidentRecord } from './incidents.js';
import type { IncidentKind } from './shapes.js';
import type { ViewState } from './state.js';

/** An error share is an incident when it is too large in two ticks so far apart. */
const ERRORS_CONFIRMED_S = 10;
/** It is over when the share was below half of the bound for so long. */
const ERRORS_OVER_S = 60;

/**
 * Second up to which hosts of a service were reported in such a way that a caller may have had none: when the flag of
 * the first one was last reported. What is held beyond that is no part of a blackout. Now, where nobody holds a host.
 */
export function blackoutLastOn({ hosts, services, now }: ViewState, service: number): number {
  let last = now;
  for (const host of services.hostsOf[service]!) last = Math.min(last, hosts.runs[host]?.lastOn ?? now);
  return last;
}

/** A blackout runs while some caller gets no host. `lastOn`: as `blackoutLastOn`, before its hosts were looked at. */
export function followBlackout(state: ViewState, service: number, lastOn: number): void {
  const { services } = state;
  const blackedOut = services.blackedOut[service]!;
  const running = services.blackouts[service];
  if (blackedOut > 0) {
    const incident =
      running ?? resumed(state, service, 'blackout') ?? begin(state, service, 'blackout', state.now);
    services.blackouts[service] = incident;
    notePeak(incident, blackedOut, services.callers[service]!);
  } else if (running) {
    services.blackouts[service] = undefined;
    endIncident(state, running, lastOn);
  }
}

/** Follows the error share of a service; returns the second at which to look again, or infinity. */
export function followErrors(state: ViewState, service: number, errorShare: number): number {
  const { services, settings, now } = state;
  const bound = settings.errorShare;
  // One that ran when the process before ended goes on, if its share is still too large to end it.
  if (!services.errors[service] && errorShare >= bound / 2)
    services.errors[service] = resumed(state, service, 'errors');
  const running = services.errors[service];
  let recheck = Number.POSITIVE_INFINITY;
  if (errorShare < bound) services.errorsSince[service] = 0;
  else if (services.errorsSince[service] === 0) services.errorsSince[service] = now;
  const since = services.errorsSince[service]!;
  if (!running) {
    if (since === 0) return recheck;
    if (now - since < ERRORS_CONFIRMED_S) return since + ERRORS_CONFIRMED_S;
    services.errors[service] = begin(state, service, 'errors', since);
    services.wellSince[service] = 0;
    notePeak(services.errors[service], services.affected[service]!, services.callers[service]!);
    return recheck;
  }
  notePeak(running, services.affected[service]!, services.callers[service]!);
  if (errorShare >= bound / 2) services.wellSince[service] = 0;
  else if (services.wellSince[service] === 0) services.wellSince[service] = now;
  const well = services.wellSince[service]!;
  if (well !== 0) {
    recheck = well + ERRORS_OVER_S;
    if (now >= recheck) {
      services.errors[service] = undefined;
      services.wellSince[service] = 0;
      endIncident(state, running, well);
      return Number.POSITIVE_INFINITY;
    }
  }
  return recheck;
}

function resumed({ services, resuming }: ViewState, service: number, kind: IncidentKind) {
  const place = { modid: services.modid(service), cmdid: services.cmdid(service), ip: null, port: null };
  return resuming.take(kind, place);
}

function begin(state: ViewState, service: number, kind: IncidentKind, began: number): IncidentRecord {
  const { services } = state;
  return beginIncident(state, {
    kind,
    modid: services.modid(service),
    cmdid: services.cmdid(service),
    ip: null,
    port: null,
    began,
    peakHot: 0,
    callers: services.callers[service]!,
    relapses: 0,
    calls: services.rates.recentCalls(service),
    errors: services.rates.recentErrors(service),
    firstCaller: null,
  });
}

function notePeak(incident: IncidentRecord, hot: number, callers: number): void {
  if (hot <= incident.peakHot) return;
  incident.peakHot = hot;
  incident.callers = callers;
}
