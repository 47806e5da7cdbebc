import { formatIpv4 } from '../../model/ipv4.js';
import type { IncidentRecord } from '../incidents.js';
import type { Incident } from '../shapes.js';
import type { ViewState } from '../state.js';

export function incidentAnswer({ clock }: ViewState, incident: IncidentRecord): Incident {
  const { id, kind, modid, cmdid, ip, port, began, ended, peakHot, callers, relapses } = incident;
  return {
    id,
    kind,
    modid,
    cmdid,
    host: ip === null ? null : `${formatIpv4(ip)}:${port}`,
    began: clock.iso(began),
    ended: clock.isoOrNull(ended),
    peakHot,
    callers,
    relapses,
    before: { calls: incident.calls, errors: incident.errors },
    firstCaller: incident.firstCaller === null ? null : formatIpv4(incident.firstCaller),
  };
}
