import { EventStreams } from '../../src/admin/event-streams.js';
import { type ServedAdmin, startAdmin } from '../../src/admin/http.js';
import { pageRoutes } from '../../src/admin/page.js';
import { reporterAnswer, reporterRoute } from '../../src/admin/reporter-routes.js';
import { json, type Route } from '../../src/admin/route.js';
import { viewRoutes } from '../../src/admin/view-routes.js';
import type { ReporterStatus } from '../../src/model/status.js';
import { HISTORY_OFF } from '../../src/model/view-status.js';
import { Metrics } from '../../src/observe/metrics.js';
import { docOf, MEANS } from '../../src/observe/problem-guide.js';
import type { ProblemCode, Severity } from '../../src/observe/problems.js';
import type { Health, Problem } from '../../src/observe/vitals.js';
import type { LiveView, ViewEvent } from '../../src/view/live.js';
import type { View } from '../../src/view/view.js';
import { answer } from '../../src/view/worker/answering.js';
import { Topics } from '../../src/view/worker/topics.js';
import { SILENT } from '../admin/ask.js';
import { busyStatus } from '../admin/statuses.js';

export interface SiteOptions {
  readonly view: View;
  /** 0 = any free one. */
  readonly port?: number;
  readonly token?: string;
  readonly viewToken?: string;
  readonly build?: string;
  /** Time of the view, epoch seconds. */
  readonly nowS: () => number;
  /** What happens in a second, before the view ticks. */
  readonly onSecond?: () => void;
  readonly history?: (query: URLSearchParams) => unknown;
}

/** The page and its API over a view that a test owns: the routes of the reporter, in the test's own thread and time. */
export class Site {
  readonly health: { state: Health['state']; problems: Problem[] } = { state: 'ok', problems: [] };
  status: ReporterStatus = busyStatus();
  readonly #options: SiteOptions;
  readonly #streams: EventStreams;
  #topics: Topics;
  readonly #followers = new Map<string, Set<(event: ViewEvent) => void>>();
  #admin: ServedAdmin | undefined;
  #port: number;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#topics = new Topics(options.view);
    this.#streams = new EventStreams({
      view: { isEnabled: true, live: this.#live },
      report: () => reporterAnswer(this.#reporter),
      ...{ version: '0.0.0', build: options.build ?? 'one', hasHistory: options.history !== undefined },
    });
  }

  /** `http://127.0.0.1:port/` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  async start(): Promise<void> {
    const { token, viewToken } = this.#options;
    this.#admin = await startAdmin({
      ...{ host: '127.0.0.1', port: this.#port, logger: SILENT },
      status: () => this.status,
      metrics: new Metrics({ writers: 2, source: () => this.status }),
      ...(token === undefined ? {} : { token }),
      ...(viewToken === undefined ? {} : { viewToken }),
      routes: this.#routes(),
    });
    this.#port = this.#admin.address.port;
  }

  /** Closes the port and every connection; `start` serves there again. */
  async stop(): Promise<void> {
    await this.#admin?.close();
    this.#admin = undefined;
  }

  problem(code: ProblemCode, severity: Severity = 'warning', sinceS = 240): void {
    this.health.state = 'unwell';
    this.health.problems.push({
      ...{ code, severity, text: `${code}: as it would be told`, means: MEANS[code], doc: docOf(code) },
      since: new Date((this.#options.nowS() - sinceS) * 1000).toISOString(),
    });
  }

  /** One second passes. */
  second(): void {
    this.#options.onSecond?.();
    this.#options.view.tick(this.#options.nowS());
    const tell = (name: string, event: ViewEvent) => {
      for (const onEvent of this.#followers.get(name) ?? []) onEvent(event);
    };
    for (const [name, event] of this.#topics.update()) tell(name, event);
    for (const event of this.#topics.changes()) for (const name of this.#followers.keys()) tell(name, event);
    this.#streams.tick();
  }

  /** As at a drain: streams are told, and end. */
  drain(): void {
    this.health.state = 'draining';
    this.#streams.tick();
  }

  get #reporter() {
    return {
      status: () => this.status,
      vitals: { health: () => this.#health() },
      view: { isEnabled: true, live: this.#live },
      version: '0.0.0',
    };
  }

  #health(): Health {
    return {
      ...this.health,
      ...{ uptimeS: 86_400 * 3, rates: { rowsIn: 4120.5, rowsStored: 310.2 } },
      ...{ flush: { p50Ms: 3.1, p99Ms: 18.4, rowsP50: 250 }, loopLagP99Ms: 4 },
    };
  }

  #routes(): Route[] {
    const view = { isEnabled: true, live: this.#live };
    const { history } = this.#options;
    return [
      ...pageRoutes(),
      // A history of its own, below.
      ...viewRoutes(view).filter(({ path }) => path !== '/api/history'),
      reporterRoute(this.#reporter),
      this.#streams.route,
      LETTERS,
      ...(history
        ? [
            {
              method: 'GET',
              path: '/api/history',
              handle: ({ query }) => json(history(query)),
            } satisfies Route,
          ]
        : []),
    ];
  }

  get #live(): LiveView {
    const { view } = this.#options;
    return {
      status: () => ({
        state: 'live',
        behindS: 0,
        droppedRows: 0,
        restarts: 0,
        history: HISTORY_OFF,
        counts: view.counts(),
      }),
      ask: async (question) => answer(view, question, undefined),
      series: async () => new Uint8Array(),
      follow: async (topic, onEvent) => {
        const events = this.#topics.follow(topic);
        const followers = this.#followers.get(topic) ?? new Set();
        this.#followers.set(topic, followers.add(onEvent));
        for (const event of events) onEvent(event);
        return () => {
          followers.delete(onEvent);
          if (followers.size > 0) return;
          this.#followers.delete(topic);
          this.#topics.unfollow(topic);
        };
      },
    };
  }
}

const LETTER = {
  ...{
    modid: 4242,
    cmdid: 3,
    ip: '10.128.0.7',
    port: 8001,
    caller: '10.9.0.4',
    succ: 4,
    err: 0,
    ts: 1_795_744_800,
  },
  ...{ overload: false, peer: '10.9.0.4', code: 'ER_DATA_OUT_OF_RANGE', count: 3 },
  message: "Out of range value for column 'port' at row 1",
  ...{ firstAt: '2026-11-27T02:00:00.000Z', lastAt: '2026-11-27T02:10:00.000Z' },
};

const LETTERS: Route = {
  method: 'GET',
  path: '/api/dead-letters',
  handle: () => json({ total: 1, offset: 0, limit: 100, letters: [LETTER] }),
};
