import type { PastIncident } from '../../history/kept-records.js';
import { formatIpv4 } from '../../model/ipv4.js';
import type { IncidentRecord } from '../incidents.js';
import { pastOfIncident } from '../past-records.js';
import { INCIDENT_KINDS, type Incident } from '../shapes.js';
import type { ViewState } from '../state.js';

export function incidentAnswer({ clock }: ViewState, incident: IncidentRecord): Incident {
  return pastIncidentAnswer(pastOfIncident(clock, incident));
}

export function pastIncidentAnswer(incident: PastIncident): Incident {
  const { id, modid, cmdid, ip, port, beganS, endedS, peakHot, callers, relapses } = incident;
  return {
    id,
    kind: INCIDENT_KINDS.find((kind) => kind === incident.kind) ?? 'host',
    modid,
    cmdid,
    host: ip === null ? null : `${formatIpv4(ip)}:${port}`,
    began: isoOf(beganS),
    ended: endedS === 0 ? null : isoOf(endedS),
    peakHot,
    callers,
    relapses,
    before: { calls: incident.calls, errors: incident.errors },
    firstCaller: incident.firstCaller === null ? null : formatIpv4(incident.firstCaller),
  };
}

/** `2026-11-27T02:14:07Z` of epoch seconds. */
export function isoOf(second: number): string {
  return `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
}
