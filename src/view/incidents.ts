import type { IncidentKind } from './shapes.js';

/** A host that somebody holds for overloaded: from the first hot row until there is none. */
export interface Run {
  /** Second of the first hot row. */
  began: number;
  /** Calls in the 60 s before it began. */
  readonly calls: number;
  readonly errors: number;
  /** Address of the voice that said so first. */
  readonly firstCaller: number;
  /** Second the flag was last reported. */
  lastOn: number;
  relapses: number;
  peakHot: number;
  /** Fresh callers at the peak. */
  callers: number;
  /** Once enough callers agreed. */
  incident: IncidentRecord | undefined;
}

/** An incident, in seconds of the view. */
export interface IncidentRecord {
  readonly id: number;
  readonly kind: IncidentKind;
  readonly modid: number;
  readonly cmdid: number;
  /** Of a host; null for those of a whole service. */
  readonly ip: number | null;
  readonly port: number | null;
  readonly began: number;
  /** 0 while it runs. */
  ended: number;
  /** Second it was last known to run; brought up to date when it is kept, and when it ends. */
  lastOn: number;
  peakHot: number;
  callers: number;
  relapses: number;
  readonly calls: number;
  readonly errors: number;
  readonly firstCaller: number | null;
}

/** Incidents that have ended are remembered up to so many. */
const MAX_ENDED = 10_000;
/** Relapses are counted so far. */
export const MAX_RELAPSES = 9_999;
/** A host flaps when so many incidents of it began within so many seconds. */
const FLAPPING_INCIDENTS = 3;
const FLAPPING_S = 1_800;

/** Incidents, running and ended; those of processes before, too, as far as they were kept. */
export class Incidents {
  /** Called with each that begins or ends. */
  onMoved: (incident: IncidentRecord) => void = () => {};
  /** How many began, by kind. */
  readonly begun: Record<IncidentKind, number> = { host: 0, blackout: 0, errors: 0 };
  readonly #open = new Map<number, IncidentRecord>();
  #ended: IncidentRecord[] = [];
  /** When the newest incidents of a host began, newest last. */
  readonly #beganOf = new Map<number, number[]>();
  #nextId = 1;

  begin(incident: Omit<IncidentRecord, 'id' | 'ended' | 'lastOn'>): IncidentRecord {
    const record = { id: this.#nextId++, ...incident, ended: 0, lastOn: incident.began };
    this.#open.set(record.id, record);
    this.begun[record.kind]++;
    this.onMoved(record);
    return record;
  }

  /** Ids from now on are this one or later. */
  idsFrom(id: number): void {
    this.#nextId = Math.max(this.#nextId, id);
  }

  /** Remembers incidents of a process before: those that ended, oldest first, and those that ran. */
  remember(ended: readonly IncidentRecord[], running: readonly IncidentRecord[]): void {
    this.#ended = [...ended, ...this.#ended].slice(-MAX_ENDED);
    for (const incident of running) this.#open.set(incident.id, incident);
  }

  end(incident: IncidentRecord, ended: number): void {
    incident.ended = Math.max(ended, incident.began);
    incident.lastOn = incident.ended;
    this.#open.delete(incident.id);
    this.#ended.push(incident);
    if (this.#ended.length >= MAX_ENDED * 2) this.#ended = this.#ended.slice(-MAX_ENDED);
    this.onMoved(incident);
  }

  /** Running ones. */
  get openCount(): number {
    return this.#open.size;
  }

  /** All that are remembered, newest first. */
  newestFirst(): IncidentRecord[] {
    return [...this.#open.values(), ...this.#ended.slice(-MAX_ENDED)].sort((a, b) => b.id - a.id);
  }

  open(): IterableIterator<IncidentRecord> {
    return this.#open.values();
  }

  /** Remembers that an incident of a host began. */
  noteBegan(host: number, began: number): void {
    const times = this.#beganOf.get(host) ?? [];
    times.push(began);
    if (times.length > FLAPPING_INCIDENTS) times.shift();
    this.#beganOf.set(host, times);
  }

  /** Second up to which the host flaps, as things stand; 0 when it does not. */
  flapsUntil(host: number, now: number): number {
    const times = this.#beganOf.get(host);
    if (!times || times.length < FLAPPING_INCIDENTS) return 0;
    const until = times[0]! + FLAPPING_S;
    return now <= until ? until : 0;
  }

  /** A host is gone, its number is used for another one. */
  forgetHost(host: number): void {
    this.#beganOf.delete(host);
  }
}
