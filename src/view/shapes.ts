import {
  type HostState,
  INCIDENT_KINDS,
  type IncidentKind,
  LEVELS,
  type Level,
  VOICE_STATES,
  type VoiceState,
} from '../model/view-status.js';

/**
 * What the view answers, as JSON. Times are ISO 8601 in UTC, whole seconds; addresses are dotted quads; shares are
 * 0 … 1; services are named by their two numbers.
 *
 * A field that is `null` is not known; it never means 0.
 */

export {
  type HostState,
  INCIDENT_KINDS,
  type IncidentKind,
  LEVELS,
  type Level,
  VOICE_STATES,
  type VoiceState,
};

/** Time as ISO 8601, UTC: `2026-11-27T02:14:07Z`. */
export type Time = string;
/** `ip:port` of a host. */
export type HostName = string;

/** How current a service is: heard now; not called; not heard, with callers lost; not heard since the start. */
export const FRESHNESS = ['live', 'quiet', 'silent', 'table'] as const;
/** Whether a service is heard, late or silent. */
export type Freshness = (typeof FRESHNESS)[number];

/** What one caller says of one host; exactly one. */
export type Verdict = 'overloaded' | 'failing' | 'ok' | 'idle' | 'stale' | 'withdrawn';

/** Every condition that holds is a reason. In the order of their weight at equal level. */
export const REASON_CODES = [
  'blackout',
  'all-hosts',
  'hosts-overloaded',
  'hosts-disputed',
  'hosts-failing',
  'errors',
  'hosts-noted',
  'silent',
] as const;
/** Names of reasons. */
export type ReasonCode = (typeof REASON_CODES)[number];

/** Seconds that an error share was taken over; null: too few calls for one. */
export type WindowS = 60 | 300 | null;

/** Stands at the head of every answer. */
export interface Head {
  /** When the state was like this. */
  readonly asOf: Time;
  /** Number of the tick it was taken at; one a second. */
  readonly tick: number;
  /** Name of this reporter in its cluster; null without one. */
  readonly node: string | null;
  /** There while the rows of the store are still being read; `rows`: read so far. */
  readonly warming?: { readonly rows: number; readonly done: false };
  /** There while rows wait to be taken in, or were dropped and are not read again yet. */
  readonly behind?: { readonly seconds: number; readonly droppedRows: number };
  /** Share of the callers that is looked at, when there are too many rows for all. */
  readonly sampled?: number;
}

/** Why a level is what it is. */
export interface Reason {
  readonly code: ReasonCode;
  /** One plain English sentence part, such as `1 of 2 hosts overloaded, 17 of 20 callers agree`. */
  readonly text: string;
}

/** Traffic of a host or of a service. */
export interface Calls {
  /** Over the last complete minute, or the last complete 5 when `windowS` is 300. */
  readonly perSecond: number;
  readonly errorsPerSecond: number;
  /** Failed ones of all calls; null when there were too few to tell. */
  readonly errorShare: number | null;
  /** What the share was taken over. */
  readonly windowS: WindowS;
}

/** Worst level in a minute (0 … 4) and share of errors in it; null where nothing is known. */
export type SparkMinute = readonly [level: number | null, errorShare: number | null];

/** One service, as it stands in lists. */
export interface Summary {
  readonly modid: number;
  readonly cmdid: number;
  /** As configured; null when it has none. */
  readonly name: string | null;
  readonly level: Level;
  /** The level, and behind the point how far it goes, 0 … 4.999: what lists are ordered by. */
  readonly trouble: number;
  readonly state: Freshness;
  /** A host of it had 3 incidents or more in 30 minutes. */
  readonly flapping: boolean;
  /** Begin of the longest running incident that the level rests on. */
  readonly since: Time | null;
  /** Strongest first. */
  readonly reasons: readonly Reason[];
  readonly hosts: {
    /** Hosts that a caller has reported within `freshS`. */
    readonly total: number;
    readonly overloaded: number;
    readonly disputed: number;
    readonly failing: number;
    readonly noted: number;
    /** These two are not in `total`. */
    readonly withdrawn: number;
    readonly stale: number;
  };
  readonly callers: {
    /** Heard within `freshS`. */
    readonly fresh: number;
    /** Of the fresh ones, those that avoid a host at least. */
    readonly affected: number;
    /** Of the fresh ones, those that avoid every host they know: they get none. */
    readonly blackedOut: number;
    /** Known, and not fresh. */
    readonly silent: number;
  };
  readonly calls: Calls;
  readonly lastHeard: Time | null;
  /** The last 30 complete minutes, oldest first. */
  readonly spark: readonly SparkMinute[];
}

/** One host of one service. */
export interface Host {
  readonly ip: string;
  readonly port: number;
  readonly state: HostState;
  /** Share of the fresh callers that hold it for overloaded; 0 when there are none. */
  readonly agree: number;
  /** Fresh callers that say overloaded, or did within `holdS`. */
  readonly hot: number;
  /** Fresh callers whose newest report has the flag. */
  readonly flaggedNow: number;
  /** Fresh callers. */
  readonly callers: number;
  /** Held for overloaded, and nobody says so any more. */
  readonly recovering: boolean;
  /** Begin of its running incident. */
  readonly since: Time | null;
  /** How often the flag came again in the running incident. */
  readonly relapses: number;
  readonly flapping: boolean;
  /** Calls in the 60 s before the running incident began. */
  readonly before: { readonly calls: number; readonly errors: number } | null;
  readonly calls: Calls;
  readonly lastHeard: Time | null;
  /** When a call was last counted. */
  readonly lastCall: Time | null;
}

/** A host in the context of its service. */
export interface ServiceHost extends Host {
  readonly modid: number;
  readonly cmdid: number;
  /** Of the service. */
  readonly name: string | null;
}

/** All services and ports of one address. */
export interface HostAddress {
  readonly ip: string;
  /** Services it serves now: with a fresh caller. */
  readonly services: number;
  /** Of these, how many hold it for overloaded, and so on. */
  readonly overloaded: number;
  readonly disputed: number;
  readonly failing: number;
  readonly noted: number;
  /** Overloaded in two services or more, and in half of those it serves: the machine rather than a service. */
  readonly suspect: boolean;
  readonly lastHeard: Time | null;
}

/** A machine that calls: the address its reports name, or the one they come from when they name a loopback one. */
export interface Voice {
  /** What the view knows the machine by. */
  readonly caller: string;
  /** The loopback address its reports name it by, and the table has; null when they name `caller`. */
  readonly via: string | null;
  readonly state: VoiceState;
  /** When a report of it was last journaled; of one known from the table, the newest `ts`. */
  readonly heard: Time | null;
  /** Address its last report came from; null when it was not heard since the start. */
  readonly lastPeer: string | null;
  /** How far its clock is behind ours, in seconds; below 0: ahead. Null when it was not heard. */
  readonly skewS: number | null;
  /** Machines of several addresses report under its name, and overwrite each other's rows. */
  readonly shared: boolean;
  /** Hosts it holds for overloaded, in all services. */
  readonly hot: number;
  /** Of these, those that most other callers do not. */
  readonly lone: number;
  /** Three lone ones or more, and half of its hot ones: the caller rather than the hosts. */
  readonly suspect: boolean;
}

/** What one caller last said of one host. */
export interface RawRow {
  readonly caller: string;
  /** As in `Voice`. */
  readonly via: string | null;
  readonly verdict: Verdict;
  /** The flag as it was last reported. */
  readonly overload: boolean;
  /** Counters of the caller's running window: no rate. */
  readonly succ: number;
  readonly err: number;
  /** Counters of the window before, while that ended within 60 s. */
  readonly previous: { readonly succ: number; readonly err: number; readonly endedAt: Time } | null;
  /** The agent's clock, epoch seconds. */
  readonly ts: number;
  /** When it was last journaled; from the table: its `ts`. */
  readonly heard: Time;
  /** When it was last journaled with the flag. */
  readonly lastOn: Time | null;
  /** When the counters or the flag last changed. */
  readonly changed: Time | null;
  /** `table`: read from the store, not heard since the start. */
  readonly source: 'live' | 'table';
}

/** A raw row in the context of its host. */
export interface HostRow extends RawRow {
  readonly modid: number;
  readonly cmdid: number;
  readonly host: HostName;
}

/** A row of one caller, beside what all say of that host. */
export interface CallerRow extends HostRow {
  readonly name: string | null;
  readonly state: HostState;
  readonly agree: number;
  readonly hot: number;
  readonly callers: number;
  /** It holds the host for overloaded, and most others do not. */
  readonly lone: boolean;
}

/**
 * Verdicts of callers (columns) on hosts (rows), one letter each: `O` overloaded, `o` recovering, `F` failing,
 * `k` ok, `i` idle, `s` stale, `w` withdrawn, `.` never reported.
 */
export interface Matrix {
  /** In the order of the answer's `voices`. */
  readonly voices: readonly string[];
  /** In the order of the answer's `hosts`. */
  readonly cells: readonly string[];
  readonly omitted: { readonly hosts: number; readonly voices: number };
}

/** A time in which a service was in trouble. */
export interface Incident {
  /** Grows with each incident, over restarts, too. */
  readonly id: number;
  readonly kind: IncidentKind;
  readonly modid: number;
  readonly cmdid: number;
  /** Null for incidents of a whole service. */
  readonly host: HostName | null;
  readonly began: Time;
  /** Null while it runs. */
  readonly ended: Time | null;
  /** Most callers that held the host for overloaded at once; of a blackout: that got no host at all. */
  readonly peakHot: number;
  /** Fresh callers at that time. */
  readonly callers: number;
  /** How often the flag came again, of any caller; 9999 at most. */
  readonly relapses: number;
  /** Calls in the 60 s before it began, the running 10 s included. */
  readonly before: { readonly calls: number; readonly errors: number };
  /** Who said so first; null for incidents of a whole service. */
  readonly firstCaller: string | null;
}

export const CHANGE_KINDS = [
  'incident-began',
  'incident-ended',
  'voice-gone',
  'voice-back',
  'voice-shared',
  'voice-skew',
  'host-new',
  'host-withdrawn',
  'service-silent',
  'service-back',
  'clock-stepped',
  'reporter',
  'more',
] as const;
/** What has changed. */
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Something that happened. Fields that do not apply are null. */
export interface Change {
  /** Grows with each change, over restarts, too. */
  readonly id: number;
  readonly at: Time;
  /** `reporter`: of the reporter itself; `more`: so many of one minute that the rest is only counted. */
  readonly kind: ChangeKind;
  readonly modid: number | null;
  readonly cmdid: number | null;
  /** Of the service; null when it has none. */
  readonly name: string | null;
  readonly host: HostName | null;
  readonly caller: string | null;
  /** Id of the incident that began or ended. */
  readonly incident: number | null;
  readonly text: string;
}

/** How many services are on each level. */
export type LevelCounts = Readonly<Record<Level, number>>;

/** GET /api/services */
export interface ServicesAnswer extends Head {
  /** Services that match. */
  readonly total: number;
  /** By level, of those that match everything but `level` and `min`. */
  readonly counts: LevelCounts;
  /** To be handed back for further pages of the same moment, for 30 s. */
  readonly snapshot: string;
  readonly services: readonly Summary[];
}

/** GET /api/services/:modid/:cmdid */
export interface ServiceAnswer extends Head {
  readonly summary: Summary;
  /** Worst first. */
  readonly hosts: readonly Host[];
  /** One page of its callers, those that complain most first. */
  readonly voices: readonly Voice[];
  readonly matrix: Matrix;
  /** The last 20, newest first, running ones before ended ones. */
  readonly incidents: readonly Incident[];
  /** When `host` or `caller` narrows it. */
  readonly rows?: readonly HostRow[];
}

/** GET /api/hosts */
export interface HostsAnswer extends Head {
  readonly total: number;
  /** Overloaded in most services first. */
  readonly hosts: readonly HostAddress[];
}

/** GET /api/hosts/:ip */
export interface HostAnswer extends Head {
  readonly host: HostAddress;
  /** One for each service and port, worst first. */
  readonly hosts: readonly ServiceHost[];
}

/** GET /api/callers */
export interface CallersAnswer extends Head {
  readonly total: number;
  /** By state, of all callers. */
  readonly counts: Readonly<Record<VoiceState, number>>;
  readonly voices: readonly Voice[];
}

/** GET /api/callers/:ip */
export interface CallerAnswer extends Head {
  readonly voice: Voice;
  /** Its rows, in all services. */
  readonly total: number;
  /** Those it is alone with first, then the other hot ones. */
  readonly rows: readonly CallerRow[];
}

/** GET /api/changes */
export interface ChangesAnswer extends Head {
  /** Newest first. */
  readonly events: readonly Change[];
  /** For `before`, to go on; null at the end. */
  readonly cursor: string | null;
}

/** GET /api/incidents */
export interface IncidentsAnswer extends Head {
  /** Newest first. */
  readonly incidents: readonly Incident[];
  readonly cursor: string | null;
}
