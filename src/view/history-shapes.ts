import type { Head, Time } from './shapes.js';

/** Seconds of a point, by its name. */
export const HISTORY_STEPS = { '10s': 10, '1m': 60, '10m': 600, '30m': 1_800, '1h': 3_600 } as const;
/** How far apart the points of a history are. */
export type HistoryStep = keyof typeof HISTORY_STEPS;

/** GET /api/history: of a service, or of one host of it. All lists are of one length; null where nothing is known. */
export interface HistoryAnswer extends Head {
  readonly step: HistoryStep;
  readonly from: Time;
  /** Begin of each point, rising. */
  readonly t: readonly Time[];
  /** Calls, failed ones included, in each point. */
  readonly calls: readonly (number | null)[];
  readonly errs: readonly (number | null)[];
  /** Most overloaded hosts at the end of a minute; of a host: 1 when most callers avoided it, else 0. */
  readonly overloaded: readonly (number | null)[];
  /** Most callers at the end of a minute. */
  readonly callers: readonly (number | null)[];
  /** Most callers that avoided a host, or this one. */
  readonly hot: readonly (number | null)[];
  /** Worst level, 0 … 4; null of a host. */
  readonly level: readonly (number | null)[];
  /** Share of each point in which the view was live, 0 … 1. */
  readonly coverage: readonly number[];
}
