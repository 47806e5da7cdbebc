import type { IncidentsAnswer } from '../shapes.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { incidentAnswer } from './incident-answer.js';
import { Parameters } from './parameters.js';

export const INCIDENTS_PARAMETERS = ['open', 'since', 'modid', 'cmdid', 'host', 'limit', 'before'] as const;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** GET /api/incidents: those that run, or ran in the time asked for. Throws `Unanswerable`. */
export function listIncidents(view: View, query: URLSearchParams): IncidentsAnswer {
  const asked = new Parameters(query, INCIDENTS_PARAMETERS);
  const { state } = view;
  view.settle();
  const { clock } = state;
  const open = asked.boolean('open');
  const since = asked.time('since', clock.toWall(state.now));
  const modid = asked.int32('modid');
  const cmdid = asked.int32('cmdid');
  const host = asked.host('host');
  const before = asked.integer('before', 1, Number.MAX_SAFE_INTEGER);
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const found = state.incidents
    .newestFirst()
    .filter(
      (incident) =>
        (before === undefined || incident.id < before) &&
        (open === undefined || open === (incident.ended === 0)) &&
        (since === undefined || incident.ended === 0 || clock.toWall(incident.ended) >= since) &&
        (modid === undefined || incident.modid === modid) &&
        (cmdid === undefined || incident.cmdid === cmdid) &&
        (!host || (incident.ip === host.ip && (host.port === undefined || incident.port === host.port))),
    );
  const page = found.slice(0, limit);
  return {
    ...headOf(view),
    incidents: page.map((incident) => incidentAnswer(state, incident)),
    cursor: found.length > page.length ? String(page[page.length - 1]!.id) : null,
  };
}
