import { type LiveView, VIEW_PATHS, type ViewPath, ViewUnavailable } from '../view/live.js';
import { csvOf } from './csv.js';
import { answering, csv, later, takeFormat } from './questions.js';
import { type AdminRequest, type Answer, failure, type Route } from './route.js';

/** Where the live view is to be found. */
export interface ViewSource {
  readonly live: LiveView;
  /** Whether there is to be one: `view.enabled`. */
  readonly isEnabled: boolean;
  /** Whether what it sees is kept: `history.enabled`. It is unless told. */
  readonly hasHistory?: boolean;
}

const SERIES_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export const VIEW_OFF: Answer = failure(
  404,
  'the view is switched off: set view.enabled to true to have services, hosts and callers shown',
);

/** `GET /metrics/services`, beside `/metrics`, which has no series of single services: sites have thousands. */
export function serviceSeriesRoute(source: ViewSource): Route {
  return {
    method: 'GET',
    path: '/metrics/services',
    handle: () =>
      source.isEnabled
        ? whenRunning(async () => ({ status: 200, type: SERIES_TYPE, body: await source.live.series() }))
        : VIEW_OFF,
  };
}
const HISTORY_OFF: Answer = failure(
  404,
  'the history is switched off: set history.enabled to true to have it kept',
);

/** What people look at. The view answers; this hands its answers on. */
export function viewRoutes(source: ViewSource): readonly Route[] {
  return VIEW_PATHS.map((path) => ({
    method: 'GET',
    path,
    handle: (request) => answering(() => ask(source, path, request)),
  }));
}

async function ask(source: ViewSource, path: ViewPath, { params, query }: AdminRequest): Promise<Answer> {
  const format = takeFormat(query);
  if (!source.isEnabled) return VIEW_OFF;
  if (path === '/api/history' && source.hasHistory === false) return HISTORY_OFF;
  return whenRunning(async () => {
    const { status, body } = await source.live.ask({ path, params, query: query.toString() });
    if (status === 200 && format === 'csv')
      return csv(path.split('/')[2]!, csvOf(path, Buffer.from(body).toString()));
    return { status, type: 'application/json; charset=utf-8', body };
  });
}

async function whenRunning(answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ViewUnavailable) return later(error.message);
    throw error;
  }
}
