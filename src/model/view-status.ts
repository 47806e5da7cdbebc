/** In rising order: 0 … 4. From `failing` on, a service is in trouble. */
export const LEVELS = ['ok', 'noted', 'failing', 'overloaded', 'outage'] as const;
/** How bad a service is; docs/view.md says what each means. */
export type Level = (typeof LEVELS)[number];

/** What all callers together say of one host; exactly one. */
export const HOST_STATES = [
  'overloaded',
  'disputed',
  'failing',
  'noted',
  'ok',
  'idle',
  'stale',
  'withdrawn',
] as const;
/** How a host is, as its callers see it. */
export type HostState = (typeof HOST_STATES)[number];

/** How a calling machine stands to the reporter; `table`: known from the store alone. */
export const VOICE_STATES = ['reporting', 'connected', 'gone', 'table'] as const;
/** What one caller says of a host. */
export type VoiceState = (typeof VOICE_STATES)[number];

export const INCIDENT_KINDS = ['host', 'blackout', 'errors'] as const;
/** What an incident is about. */
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** How much there is of everything. */
export interface ViewCounts {
  readonly rows: number;
  /** Of those that lists show. */
  readonly services: Readonly<Record<Level, number>>;
  readonly hosts: Readonly<Record<HostState, number>>;
  readonly callers: Readonly<Record<VoiceState, number>>;
  /** Callers that were there before this process started, and have not been heard since. */
  readonly lostAtStart: number;
  /** Names that machines of several addresses report under. */
  readonly sharedCallers: number;
  readonly incidentsOpen: number;
  readonly incidentsBegun: Readonly<Record<IncidentKind, number>>;
  /** Counters that a recount found wrong, and put right. 0 unless there is a bug. */
  readonly mismatches: number;
  /** Share of the callers that is looked at. */
  readonly sampled: number;
}

/** How the history of the view is. */
export interface HistoryStatus {
  /**
   * `off`: switched off, or ended, or the view is. `starting`: not opened yet. `stopped`: it cannot be written; it is
   * tried again, and nothing else is touched.
   */
  readonly state: 'off' | 'starting' | 'ok' | 'stopped';
  /** Why it is stopped; null while it is not. */
  readonly why: string | null;
  /** Of its file; 0 while that is not known. */
  readonly bytes: number;
}

export const HISTORY_OFF: HistoryStatus = { state: 'off', why: null, bytes: 0 };

/** How the live view is. */
export interface LiveViewStatus {
  /**
   * `off`: switched off, or ended. `starting`: its thread is not up (again) yet. `warming`: it reads the rows of the
   * store; what agents report is right already.
   */
  readonly state: 'off' | 'starting' | 'warming' | 'live';
  /**
   * Seconds between what was journaled last and what the view has taken in, or since rows were dropped that are not
   * read again yet; 0 when it has all.
   */
  readonly behindS: number;
  /** Rows that were dropped because the view was too slow, since the start. They are read again from the store. */
  readonly droppedRows: number;
  /** Times its thread has ended by itself. */
  readonly restarts: number;
  /** As they were when its thread last ticked; undefined until it is up for the first time. */
  readonly counts: ViewCounts | undefined;
  readonly history: HistoryStatus;
}

/** Of a view that is switched off. */
export const VIEW_OFF: LiveViewStatus = {
  state: 'off',
  behindS: 0,
  droppedRows: 0,
  restarts: 0,
  counts: undefined,
  history: HISTORY_OFF,
};
