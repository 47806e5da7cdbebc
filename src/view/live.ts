import type { LiveViewStatus } from '../model/view-status.js';

export type { LiveViewStatus };

/** The paths of the API that the view answers, as they are routed. */
export const VIEW_PATHS = [
  '/api/services',
  '/api/services/:modid/:cmdid',
  '/api/hosts',
  '/api/hosts/:ip',
  '/api/callers',
  '/api/callers/:ip',
  '/api/changes',
  '/api/incidents',
  '/api/history',
] as const;
export type ViewPath = (typeof VIEW_PATHS)[number];

/** One request to the view. */
export interface ViewQuestion {
  readonly path: ViewPath;
  /** The `:name` segments of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The query string, without `?`. */
  readonly query: string;
}

/** An answer, ready to be sent as it is. */
export interface ViewReply {
  readonly status: 200 | 400 | 404 | 410;
  /** JSON: an answer of `shapes.ts`, or `{"error": why}`. */
  readonly body: Uint8Array;
}

/** What a follower of the view is told; the events of `GET /api/events` that come from the view. */
export interface ViewEvent {
  /** The tick. */
  readonly id: number;
  readonly event: 'services' | 'service' | 'change';
  /** JSON. */
  readonly data: string;
}

/** What is followed: the query of `GET /api/events` without its leading `?`, such as `view=services&level=outage`. */
export type ViewTopic = string;

/** The running view, as the admin HTTP sees it. It lives in a thread of its own. */
export interface LiveView {
  status(): LiveViewStatus;
  /** Rejects with ViewUnavailable while the thread is not up. */
  ask(question: ViewQuestion): Promise<ViewReply>;
  /** Series of services, as Prometheus text of format 0.0.4. Rejects as `ask`. */
  series(): Promise<Uint8Array>;
  /**
   * Tells what differs from what the follower knows, at most once a second; the first event holds everything. Followers
   * of equal topics share one encoding. A topic that is not understood rejects with ViewRefusal, which says why.
   * Resolves to what ends it.
   */
  follow(topic: ViewTopic, onEvent: (event: ViewEvent) => void): Promise<() => void>;
}

/** The view cannot answer now; the message says why and what to do. */
export class ViewUnavailable extends Error {
  override name = 'ViewUnavailable';
}

/** The view does not understand what it was asked to follow; the message names the parameter. */
export class ViewRefusal extends Error {
  override name = 'ViewRefusal';
}
