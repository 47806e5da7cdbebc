import { deadLetterRoutes } from '../admin/dead-letters.js';
import { EventStreams } from '../admin/event-streams.js';
import { type Admin, hostAdmin, startAdmin } from '../admin/http.js';
import { pageBuild, pageRoutes } from '../admin/page.js';
import { reloadRoutes } from '../admin/reload.js';
import { type ReporterSource, reporterAnswer, reporterRoute } from '../admin/reporter-routes.js';
import type { Route } from '../admin/route.js';
import { storedRowsRoute } from '../admin/stored-rows.js';
import { serviceSeriesRoute, viewRoutes } from '../admin/view-routes.js';
import { errorOf, ReporterError } from '../model/errors.js';
import { packageVersion } from '../model/version.js';
import type { Store } from '../store/contract.js';
import type { LiveView } from '../view/live.js';
import type { DeadLetterCounter } from './dead-letters.js';
import type { Foundation } from './foundation.js';

/** How often health is looked at and streams are told. */
const TICK_MS = 1000;

/** What the admin HTTP shows of stages that start after it does. */
export interface Shown {
  readonly letters: DeadLetterCounter;
  readonly view: LiveView;
  /** While it is open. */
  store?: Store | undefined;
}

/**
 * Serves the admin HTTP. `isAsked`: the host said something about it, so that it cannot do without its port; then this
 * rejects with ReporterError LISTEN_FAILED where the address is taken. Else it has none.
 */
export async function serveAdmin(foundation: Foundation, shown: Shown, isAsked: boolean): Promise<Admin> {
  const { config, options, ways, events, logger, metrics, status, teardown } = foundation;
  const routes = routesOf(foundation, shown);
  const parts = {
    ...config.admin,
    bind: ways.bindAdmin,
    ...{ status: () => status.read(), metrics, logger, routes },
  };
  const { ownHttp = true } = options;
  let admin: Admin;
  try {
    admin = await (ownHttp ? startAdmin(parts) : hostAdmin(parts));
  } catch (error) {
    if (isAsked || !isTaken(error)) throw error;
    events.emit({ type: 'admin-unavailable', error: errorOf(error) });
    admin = await hostAdmin(parts);
  }
  teardown.add('the admin HTTP', () => admin.close());
  if (admin.address) events.emit({ type: 'admin-listening', ...admin.address });
  return admin;
}

const isTaken = (error: unknown) => error instanceof ReporterError && error.code === 'LISTEN_FAILED';

/** All routes beside health, metrics, ledger and status, and what keeps them going. */
function routesOf(
  { config, ways, events, metrics, status, vitals, teardown }: Foundation,
  shown: Shown,
): Route[] {
  const { letters } = shown;
  const version = packageVersion();
  const hasHistory = config.history.enabled;
  const view = { isEnabled: config.view.enabled, hasHistory, live: shown.view };
  const source: ReporterSource = { status: () => status.read(), vitals, view, version };
  const streams = new EventStreams({
    ...{ view, version, build: pageBuild() ?? version },
    report: () => reporterAnswer(source),
    hasHistory,
  });
  metrics.countStreams(() => streams.size);
  events.subscribe(streams.observe);
  const timer = setInterval(() => {
    vitals.sample(config.view.enabled ? shown.view.status() : undefined);
    streams.tick();
  }, TICK_MS).unref();
  teardown.add('the watch of the reporter', () => clearInterval(timer));
  return [
    ...deadLetterRoutes(() => (letters.isOpen ? letters : undefined)),
    ...viewRoutes(view),
    serviceSeriesRoute(view),
    storedRowsRoute(() => shown.store),
    reporterRoute(source),
    streams.route,
    ...(ways.reload ? reloadRoutes(ways.reload) : []),
    ...pageRoutes(),
  ];
}
