import type { ReporterStatus } from '../model/status.js';
import type { Health, Vitals } from '../observe/vitals.js';
import { answering, checkNames } from './questions.js';
import { json, type Route } from './route.js';
import type { ViewSource } from './view-routes.js';

/** GET /api/reporter: how the reporter is, and its status; also the data of the event `reporter`. */
export interface ReporterAnswer extends Omit<ReporterStatus, 'state'>, Health {
  /** ISO 8601, UTC. */
  readonly asOf: string;
  readonly version: string;
  /** The machines that call. What the view knows of them is null without one. */
  readonly agents: {
    readonly connections: number;
    readonly voices: number | null;
    /** Those whose connection is gone: their agents are to be restarted. */
    readonly gone: number | null;
    /** Of these, those that were heard before this start and are not back. */
    readonly lostAtStart: number | null;
  };
}

export interface ReporterSource {
  readonly status: () => ReporterStatus;
  readonly vitals: Pick<Vitals, 'health'>;
  readonly view: ViewSource;
  readonly version: string;
}

export function reporterRoute(source: ReporterSource): Route {
  return {
    method: 'GET',
    path: '/api/reporter',
    handle: ({ query }) =>
      answering(() => {
        checkNames(query, []);
        return json(reporterAnswer(source));
      }),
  };
}

/** How the reporter is at this moment. */
export function reporterAnswer({ status, vitals, view, version }: ReporterSource): ReporterAnswer {
  const current = status();
  const counts = current.view.counts;
  const callers = counts?.callers;
  return {
    asOf: `${new Date().toISOString().slice(0, 19)}Z`,
    version,
    ...current,
    ...vitals.health(view.isEnabled ? current.view : undefined),
    agents: {
      connections: current.traffic.connections,
      voices: callers ? callers.reporting + callers.connected + callers.gone + callers.table : null,
      gone: callers?.gone ?? null,
      lostAtStart: counts?.lostAtStart ?? null,
    },
  };
}
