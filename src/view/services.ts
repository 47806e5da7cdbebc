import { byteColumn, float32Column, float64Column, int32Column } from './columns.js';
import type { IncidentRecord } from './incidents.js';
import { MinuteRing } from './minutes.js';
import { Rates } from './rates.js';
import type { Freshness } from './shapes.js';
import { Records } from './slots.js';
import type { Standing } from './standing.js';

/** Words of a service's key: modid, cmdid. */
export const SERVICE_WORDS = 2;

/** Fields of a minute of a service. */
export const SERVICE_MINUTE = {
  calls: 0,
  errors: 1,
  level: 2,
  hosts: 3,
  overloaded: 4,
  callers: 5,
  hotVoices: 6,
  blackedOut: 7,
} as const;

/** Codes of the column `state`. */
export const FRESHNESS_OF: readonly (Freshness | null)[] = [null, 'live', 'quiet', 'silent', 'table'];
export const LIVE_SERVICE = 1;
export const QUIET = 2;
export const SILENT = 3;
export const TABLE = 4;

/** Services, with what their pairs and hosts come to. */
export class Services {
  readonly records = new Records(2);
  /** Second a row was last heard; from the table: the newest `ts`. */
  heard = int32Column(0);
  /** 1 when it was heard since the start. */
  live = byteColumn(0);
  /** Second it was first seen. */
  created = int32Column(0);
  /** Hosts with a fresh row. */
  freshHosts = int32Column(0);
  /** Voices with a row. */
  voices = int32Column(0);
  /** Voices with a fresh row. */
  callers = int32Column(0);
  /** Voices all of whose fresh rows are hot. */
  blackedOut = int32Column(0);
  /** Voices with a hot row. */
  affected = int32Column(0);
  /** Hosts in state `overloaded`. */
  overloaded = int32Column(0);
  /** First of its pairs, plus 1. */
  firstPair = int32Column(0);
  /** Grows when a row of it turns fresh, or is no longer. */
  epoch = int32Column(0);
  level = byteColumn(0);
  /** The level when it was last live. */
  lastLevel = byteColumn(0);
  /** Worst level in the running minute; NaN: none yet. */
  minuteLevel = float32Column(0);
  state = byteColumn(0);
  /** Second at which it has to be looked at again by time alone; 0 = none. */
  due = int32Column(0);
  /** Second since when its error share is too large; 0 = it is not. */
  errorsSince = int32Column(0);
  /** Second since when it is below half of that; 0 = it is not. */
  wellSince = int32Column(0);
  readonly hostsOf: number[][] = [];
  readonly standings: (Standing | undefined)[] = [];
  /** Running incidents. */
  readonly blackouts: (IncidentRecord | undefined)[] = [];
  readonly errors: (IncidentRecord | undefined)[] = [];
  readonly rates: Rates;
  /** Calls since it was first seen, in complete buckets; of all callers, also where a share is looked at. */
  callsTotal = float64Column(0);
  errorsTotal = float64Column(0);
  readonly minutes = new MinuteRing(Object.keys(SERVICE_MINUTE).length);
  /** Services that are to be looked at in the next tick. */
  readonly dirty: number[] = [];
  #isDirty = byteColumn(0);

  constructor(bucket: number) {
    this.rates = new Rates(bucket);
    this.#resize();
  }

  find(modid: number, cmdid: number): number {
    return this.records.find(modid, cmdid);
  }

  add(modid: number, cmdid: number, now: number): number {
    const { high } = this.records;
    const service = this.records.add(modid, cmdid);
    if (this.records.capacity > this.heard.length) this.#resize();
    for (const column of [this.heard, this.freshHosts, this.voices, this.callers, this.blackedOut])
      column[service] = 0;
    for (const column of [this.affected, this.overloaded, this.firstPair, this.due]) column[service] = 0;
    for (const column of [this.live, this.level, this.lastLevel, this.state]) column[service] = 0;
    this.callsTotal[service] = 0;
    this.errorsTotal[service] = 0;
    this.errorsSince[service] = 0;
    this.wellSince[service] = 0;
    this.epoch[service] = 1;
    this.created[service] = now;
    this.minuteLevel[service] = Number.NaN;
    this.hostsOf[service] = [];
    this.standings[service] = undefined;
    this.blackouts[service] = undefined;
    this.errors[service] = undefined;
    if (service < high) {
      this.rates.clear(service);
      this.minutes.clear(service);
    }
    this.markDirty(service);
    return service;
  }

  modid(service: number): number {
    return this.records.words[service * SERVICE_WORDS]!;
  }

  cmdid(service: number): number {
    return this.records.words[service * SERVICE_WORDS + 1]!;
  }

  markDirty(service: number): void {
    if (this.#isDirty[service] === 1) return;
    this.#isDirty[service] = 1;
    this.dirty.push(service);
  }

  /** To be called before a dirty service is looked at: what changes from then on makes it dirty anew. */
  clean(service: number): void {
    this.#isDirty[service] = 0;
  }

  /** Closes the running bucket. `share`: of the callers that are looked at. */
  closeBucket(share: number, changed: (service: number) => void): void {
    const { high } = this.records;
    this.rates.addRunning(high, this.callsTotal, this.errorsTotal, 1 / share);
    this.rates.closeBucket(high, changed);
  }

  keepMinute(minute: number): void {
    this.minutes.push(
      minute,
      [
        this.rates.calls60,
        this.rates.errors60,
        this.minuteLevel,
        this.freshHosts,
        this.overloaded,
        this.callers,
        this.affected,
        this.blackedOut,
      ],
      this.records.high,
    );
    this.minuteLevel.fill(Number.NaN);
  }

  #resize(): void {
    const { capacity } = this.records;
    this.heard = int32Column(capacity, this.heard);
    this.live = byteColumn(capacity, this.live);
    this.created = int32Column(capacity, this.created);
    this.freshHosts = int32Column(capacity, this.freshHosts);
    this.voices = int32Column(capacity, this.voices);
    this.callers = int32Column(capacity, this.callers);
    this.blackedOut = int32Column(capacity, this.blackedOut);
    this.affected = int32Column(capacity, this.affected);
    this.overloaded = int32Column(capacity, this.overloaded);
    this.firstPair = int32Column(capacity, this.firstPair);
    this.epoch = int32Column(capacity, this.epoch);
    this.level = byteColumn(capacity, this.level);
    this.lastLevel = byteColumn(capacity, this.lastLevel);
    this.minuteLevel = float32Column(capacity, this.minuteLevel);
    this.state = byteColumn(capacity, this.state);
    this.due = int32Column(capacity, this.due);
    this.errorsSince = int32Column(capacity, this.errorsSince);
    this.wellSince = int32Column(capacity, this.wellSince);
    this.#isDirty = byteColumn(capacity, this.#isDirty);
    this.callsTotal = float64Column(capacity, this.callsTotal);
    this.errorsTotal = float64Column(capacity, this.errorsTotal);
    this.rates.resize(capacity);
    this.minutes.resize(capacity);
  }
}
