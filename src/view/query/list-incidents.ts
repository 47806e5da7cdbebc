import type { HistoryReader } from '../../history/history-reader.js';
import type { PastIncident } from '../../history/kept-records.js';
import { pastOfIncident } from '../past-records.js';
import type { IncidentsAnswer } from '../shapes.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { pastIncidentAnswer } from './incident-answer.js';
import { type HostFilter, Parameters } from './parameters.js';

export const INCIDENTS_PARAMETERS = ['open', 'since', 'modid', 'cmdid', 'host', 'limit', 'before'] as const;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Older ones that are looked at for one answer; the cursor goes on from there. */
const MOST_LOOKED_AT = 10_000;

interface Filter {
  readonly open: boolean | undefined;
  readonly since: number | undefined;
  readonly modid: number | undefined;
  readonly cmdid: number | undefined;
  readonly host: HostFilter | undefined;
  readonly before: number | undefined;
}

/** GET /api/incidents: those that run, or ran in the time asked for. Throws `Unanswerable`. */
export function listIncidents(view: View, query: URLSearchParams, past?: HistoryReader): IncidentsAnswer {
  const asked = new Parameters(query, INCIDENTS_PARAMETERS);
  view.settle();
  const { clock, incidents, now } = view.state;
  const filter: Filter = {
    open: asked.boolean('open'),
    since: asked.time('since', clock.toWall(now)),
    modid: asked.int32('modid'),
    cmdid: asked.int32('cmdid'),
    host: asked.host('host'),
    before: asked.integer('before', 1, Number.MAX_SAFE_INTEGER),
  };
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const known = incidents.newestFirst().map((incident) => pastOfIncident(clock, incident));
  const older =
    past && filter.open !== true ? lookBack(past, filter, new Set(known.map(({ id }) => id)), limit) : NONE;
  const found = [...known.filter((incident) => isAsked(incident, filter)), ...older.found]
    .filter(({ id }) => id >= older.downTo)
    .sort((a, b) => b.id - a.id);
  const page = found.slice(0, limit);
  const next = found.length > page.length ? page.at(-1)!.id : older.downTo;
  return { ...headOf(view), incidents: page.map(pastIncidentAnswer), cursor: next > 0 ? String(next) : null };
}

interface Older {
  readonly found: readonly PastIncident[];
  /** Older ones were not looked at; 0: all were. */
  readonly downTo: number;
}

const NONE: Older = { found: [], downTo: 0 };

/** Incidents that are not in memory any more. */
function lookBack(past: HistoryReader, filter: Filter, known: ReadonlySet<number>, limit: number): Older {
  const isOther = (incident: PastIncident) => !known.has(incident.id) && isAsked(incident, filter);
  if (filter.since !== undefined) return { found: past.since(filter.since).filter(isOther), downTo: 0 };
  const found: PastIncident[] = [];
  let looked = 0;
  for (const incident of past.incidents(filter.before)) {
    if (isOther(incident)) found.push(incident);
    // One more than is shown tells that there is more.
    if (found.length > limit) return { found, downTo: 0 };
    if (++looked >= MOST_LOOKED_AT) return { found, downTo: incident.id };
  }
  return { found, downTo: 0 };
}

function isAsked(incident: PastIncident, { open, since, modid, cmdid, host, before }: Filter): boolean {
  return (
    (before === undefined || incident.id < before) &&
    (open === undefined || open === (incident.endedS === 0)) &&
    (since === undefined || incident.endedS === 0 || incident.endedS >= since) &&
    (modid === undefined || incident.modid === modid) &&
    (cmdid === undefined || incident.cmdid === cmdid) &&
    (!host || (incident.ip === host.ip && (host.port === undefined || incident.port === host.port)))
  );
}
