import { formatIpv4 } from '../model/ipv4.js';
import type { IncidentRecord } from './incidents.js';
import type { ViewState } from './state.js';

const WHAT = {
  host: 'overloaded',
  blackout: 'callers get no host',
  errors: 'too many errors',
} as const;

/** `4242/17`, or `host 10.0.0.1:80 of 4242/17`. */
function placeOf({ modid, cmdid, ip, port }: IncidentRecord): string {
  return ip === null ? `${modid}/${cmdid}` : `host ${formatIpv4(ip)}:${port} of ${modid}/${cmdid}`;
}

export function beginIncident(
  state: ViewState,
  incident: Omit<IncidentRecord, 'id' | 'ended' | 'lastOn'>,
): IncidentRecord {
  const record = state.incidents.begin(incident);
  tell(state, 'incident-began', `${placeOf(record)}: ${WHAT[record.kind]}`, record);
  return record;
}

export function endIncident(state: ViewState, incident: IncidentRecord, ended: number): void {
  state.incidents.end(incident, ended);
  tell(state, 'incident-ended', `${placeOf(incident)}: no longer ${WHAT_ENDED[incident.kind]}`, incident);
}

const WHAT_ENDED = {
  host: 'overloaded',
  blackout: 'a blackout',
  errors: 'too many errors',
} as const;

function tell(
  state: ViewState,
  kind: 'incident-began' | 'incident-ended',
  text: string,
  incident: IncidentRecord,
): void {
  const { id, modid, cmdid, ip, port, firstCaller } = incident;
  state.changes.add(state.now, kind, text, { modid, cmdid, ip, port, caller: firstCaller, incident: id });
}

/** A host came to a service that was known before. */
export function tellHostNew(state: ViewState, host: number): void {
  const place = placeOfHost(state, host);
  state.changes.add(state.now, 'host-new', `new ${describe(place)}`, place);
}

/** A host is no longer among those that callers report. */
export function tellHostWithdrawn(state: ViewState, host: number): void {
  const place = placeOfHost(state, host);
  state.changes.add(state.now, 'host-withdrawn', `${describe(place)} is no longer reported`, place);
}

function placeOfHost({ hosts, services }: ViewState, host: number) {
  const service = hosts.service[host]!;
  return {
    modid: services.modid(service),
    cmdid: services.cmdid(service),
    ip: hosts.ip(host),
    port: hosts.port(host),
  };
}

function describe({ modid, cmdid, ip, port }: ReturnType<typeof placeOfHost>): string {
  return `host ${formatIpv4(ip)}:${port} of ${modid}/${cmdid}`;
}

export function tellService(
  state: ViewState,
  service: number,
  kind: 'service-silent' | 'service-back',
): void {
  const place = { modid: state.services.modid(service), cmdid: state.services.cmdid(service) };
  const what = kind === 'service-silent' ? 'is not heard any more' : 'is heard again';
  state.changes.add(state.now, kind, `${place.modid}/${place.cmdid} ${what}`, place);
}

const OF_VOICE = {
  'voice-gone': 'is gone: not heard, and no connection of it is open',
  'voice-back': 'is back',
  'voice-shared': 'is reported from several addresses; their rows overwrite each other',
  'voice-skew': 'has a clock that differs from ours',
} as const;

export function tellVoice(state: ViewState, voice: number, kind: keyof typeof OF_VOICE): void {
  const caller = state.voices.ip(voice);
  state.changes.add(state.now, kind, `caller ${formatIpv4(caller)} ${OF_VOICE[kind]}`, { caller });
}
