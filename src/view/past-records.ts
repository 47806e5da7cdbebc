import type { PastEvent, PastIncident } from '../history/kept-records.js';
import type { ChangeRecord } from './changes.js';
import type { IncidentRecord } from './incidents.js';
import { CHANGE_KINDS, INCIDENT_KINDS } from './shapes.js';
import type { ViewState } from './state.js';
import type { Clock } from './view-clock.js';

/** A process that was away for longer cannot know whether what ran has gone on. */
const MOST_AWAY_S = 900;
/** Beside the time for which a caller counts: what it takes until callers are heard again. */
const MARGIN_S = 10;
/** An error share is known after a minute of calls, and has to hold. */
const ERRORS_S = 130;

export function pastOfChange(clock: Clock, change: ChangeRecord): PastEvent {
  const { id, at, kind, modid, cmdid, ip, port, caller, incident, text } = change;
  return { id, atS: clock.toWall(at), kind, modid, cmdid, ip, port, caller, incident, text };
}

export function pastOfIncident(clock: Clock, incident: IncidentRecord): PastIncident {
  const { began, ended, lastOn, ...rest } = incident;
  return {
    ...rest,
    beganS: clock.toWall(began),
    endedS: ended === 0 ? 0 : clock.toWall(ended),
    lastS: clock.toWall(lastOn),
  };
}

/** Undefined for one of a kind that is not known here: a later version has written it. */
function changeOf(clock: Clock, past: PastEvent): ChangeRecord | undefined {
  const kind = CHANGE_KINDS.find((one) => one === past.kind);
  if (!kind) return undefined;
  const { atS, ...rest } = past;
  return { ...rest, kind, at: clock.fromWall(atS) };
}

function incidentOf(clock: Clock, past: PastIncident): IncidentRecord | undefined {
  const kind = INCIDENT_KINDS.find((one) => one === past.kind);
  if (!kind) return undefined;
  const { beganS, endedS, lastS, ...rest } = past;
  return {
    ...{ ...rest, kind, began: clock.fromWall(beganS), lastOn: clock.fromWall(lastS) },
    ended: endedS === 0 ? 0 : clock.fromWall(endedS),
  };
}

/** What is known of the processes before. Each is newest first. */
export interface Past {
  readonly events: readonly PastEvent[];
  readonly running: readonly PastIncident[];
  readonly ended: readonly PastIncident[];
  readonly lastIds: { readonly event: number; readonly incident: number };
}

/**
 * Remembers what the processes before have seen. Incidents that ran when the last one ended go on when they are seen
 * again, or end when they were last seen.
 */
export function rememberPast(state: ViewState, { events, running, ended, lastIds }: Past): void {
  const { clock, changes, incidents, resuming, settings, now } = state;
  const isThere = <T>(one: T | undefined): one is T => one !== undefined;
  changes.idsFrom(lastIds.event + 1);
  incidents.idsFrom(lastIds.incident + 1);
  const known = new Set(changes.all().map(({ id }) => id));
  changes.remember(
    events
      .filter(({ id }) => !known.has(id))
      .map((event) => changeOf(clock, event))
      .filter(isThere)
      .reverse(),
  );
  const open = new Set([...incidents.newestFirst()].map(({ id }) => id));
  const isNew = ({ id }: PastIncident) => !open.has(id);
  const toRecord = (incident: PastIncident) => incidentOf(clock, incident);
  const went = running.filter(isNew).map(toRecord).filter(isThere);
  incidents.remember(ended.filter(isNew).map(toRecord).filter(isThere).reverse(), went);
  const waitS = Math.max(settings.freshS, settings.holdS) + MARGIN_S;
  for (const incident of went) {
    const isLongAgo = now - incident.lastOn > MOST_AWAY_S;
    const until = now + (incident.kind === 'errors' ? Math.max(waitS, ERRORS_S) : waitS);
    resuming.hold(incident, isLongAgo ? now : until);
  }
}
