import type { HistoryOptions } from '../../history/history.js';
import type { ServiceNames } from '../../model/service-names.js';
import type { HistoryStatus, ViewCounts } from '../../model/view-status.js';
import type { SharedRing } from '../feed/ring.js';
import type { ClockSetting } from '../feed/thread-clock.js';
import type { ViewEvent, ViewQuestion, ViewReply, ViewTopic } from '../live.js';
import type { TableCount } from '../rows-of-table.js';
import type { ViewSettings } from '../view-settings.js';

/** What the thread of the view is started with. */
export interface Boot {
  readonly ring: SharedRing;
  readonly clock: ClockSetting;
  readonly settings: ViewSettings;
  /** Of the configuration. */
  readonly names: Readonly<Record<string, string>>;
  readonly node: string | null;
  /** Number of the last tick of the thread before; 0 for the first one. */
  readonly tick: number;
  /** Number in the tags of rows, and address. */
  readonly peers: readonly (readonly [number, string])[];
  /** Where machines are kept for the next start; null: nowhere. */
  readonly machinesFile: string | null;
  /** Where what was seen is kept; null: nowhere. */
  readonly history: HistoryOptions | null;
}

/** What the thread can be asked, and what it answers. */
export interface Requests {
  ask: { readonly question: ViewQuestion; readonly reply: ViewReply };
  /** Series of services, as Prometheus text. */
  series: { readonly question: null; readonly reply: Uint8Array };
  /** Its reply: the events that hold everything. Events of the topic that come after it hold what differs. */
  follow: { readonly question: ViewTopic; readonly reply: readonly ViewEvent[] };
  /** A reading of pending rows and of the table begins. */
  begin: { readonly question: { readonly isWarmUp: boolean }; readonly reply: null };
  rows: { readonly question: ReadRows; readonly reply: TableCount };
  /** It has ended, with everything read. Its reply: rows that are gone from the table, if that was asked for. */
  end: { readonly question: { readonly sweptFromS: number | null }; readonly reply: number };
  /** Machines are kept for the next start, and the history is closed. */
  stop: { readonly question: null; readonly reply: null };
}
export type RequestKind = keyof Requests;

export interface ReadRows {
  /** Packed. */
  readonly rows: Int32Array;
  readonly from: 'pending' | 'store';
  /** Rows heard up to then may have missed something; undefined: none has. */
  readonly missedUntilS: number | undefined;
}

export type Request<Kind extends RequestKind = RequestKind> = {
  readonly [K in Kind]: { readonly kind: K; readonly id: number; readonly question: Requests[K]['question'] };
}[Kind];

/** What the thread is told, at most once a second. */
export interface News {
  /** Addresses from which another number of connections is open than last told. */
  readonly connections: readonly (readonly [address: string, count: number])[];
  /** What happened to the reporter. */
  readonly notes: readonly string[];
  /** Rows that were dropped and are not read again yet, and since when; null: none. */
  readonly missed: { readonly rows: number; readonly sinceS: number } | null;
}

/** What the view is to go on with. */
export interface Setting {
  readonly settings: ViewSettings;
  readonly names: Readonly<Record<string, string>>;
}

export type ToWorker =
  | Request
  | ({ readonly kind: 'set' } & Setting)
  | ({ readonly kind: 'news' } & News)
  /** Names of services that are stored have been read. */
  | { readonly kind: 'names'; readonly names: ServiceNames }
  | { readonly kind: 'unfollow'; readonly topic: ViewTopic };

export type FromWorker =
  | { readonly kind: 'reply'; readonly id: number; readonly reply: Requests[RequestKind]['reply'] }
  /** `isRefusal`: what was asked is not understood; else it is a bug. */
  | { readonly kind: 'failed'; readonly id: number; readonly why: string; readonly isRefusal: boolean }
  /** A second has passed. */
  | {
      readonly kind: 'tick';
      readonly tick: number;
      readonly counts: ViewCounts;
      readonly history: HistoryStatus;
      /** For all followers. */
      readonly changes: readonly ViewEvent[];
      /** Of each topic in which something differs. */
      readonly topics: readonly (readonly [ViewTopic, ViewEvent])[];
    }
  | { readonly kind: 'complaint'; readonly why: string };
