import { firstIdOf } from '../history/kept-records.js';
import type { ViewCounts } from '../model/view-status.js';
import { ROW_WORDS, VOICE } from './caller-rows.js';
import { Covered } from './covered.js';
import { forgetRows } from './forgetting.js';
import { endIncident } from './happenings.js';
import { HOST_STATE_OF } from './hosts.js';
import { Intake } from './intake.js';
import { countLost, forgetMachines, knownMachines, type Machine, rememberMachines } from './machines.js';
import { moveTo, reassessRows } from './passing.js';
import { type Past, rememberPast } from './past-records.js';
import { countShared, watchVoices } from './presence.js';
import { recountService } from './recount.js';
import { beginReading, endSweep, type TableCount, takeTableRows } from './rows-of-table.js';
import { assessService } from './service-assessment.js';
import { type Snapshot, Snapshots } from './snapshot.js';
import { ViewState } from './state.js';
import { DEFAULT_SETTINGS, type NameOf, type ViewSettings } from './view-settings.js';
import { VOICE_STATE_OF } from './voices.js';

/** More callers are looked at again once the rows are so many times fewer than there is room for. */
const SPARSE = 4;
/** Rows to a host, at least, of a view at its largest: a host takes as much as 8 rows, for its half hour by the minute. */
const ROWS_A_HOST = 4;
/** A service takes as much as so many hosts. */
const HOSTS_A_SERVICE = 2;

export interface ViewOptions {
  readonly settings?: Partial<ViewSettings>;
  /** Name of a service; none has one unless given. */
  readonly nameOf?: NameOf;
  /** Name of this reporter in its cluster. */
  readonly node?: string;
  /** The even clock at the start, epoch seconds. */
  readonly startS: number;
  /** Number of the last tick of a view before; ticks go on from it. 0 unless given. */
  readonly tick?: number;
}

/** Rows of the table that are still being read, or that were dropped and are to be read again. */
export interface ViewCondition {
  /** Rows of the store read so far, while that is not finished. */
  readonly warmingRows?: number;
  /** How far the view is behind what was journaled, and what it has missed. */
  readonly behind?: { readonly seconds: number; readonly droppedRows: number };
}

export type { ViewCounts };

/**
 * What people look at: services, their hosts and callers, as agents mean them. It has no clock and reads nothing:
 * rows, connections and the time are handed in. The time is an even clock in epoch seconds, which is never set.
 *
 *     const view = new View({ startS: now() });
 *     view.live(rows, peers, now());
 *     view.tick(now()); // once a second
 *     services(view, new URLSearchParams('level=outage'));
 */
export class View {
  readonly node: string | null;
  /** For the queries beside. */
  readonly state: ViewState;
  readonly snapshots: Snapshots;
  /** How much of each minute was seen. */
  readonly covered: Covered;
  condition: ViewCondition = {};
  readonly #intake: Intake;
  #mismatches = 0;
  /** Service that was recounted last. */
  #recounted = 0;
  #services = 0;
  /** Whether some service stands otherwise than in the last snapshot. */
  #hasChanged = false;

  constructor({ settings = {}, nameOf = () => null, node, startS, tick = 0 }: ViewOptions) {
    this.node = node ?? null;
    this.state = new ViewState({ ...DEFAULT_SETTINGS, ...settings }, nameOf, startS);
    this.snapshots = new Snapshots(this.state.now, tick);
    this.covered = new Covered(this.state.now);
    this.#beginIds();
    this.#intake = new Intake(this.state);
  }

  /** The number of an address that reports come from, for `live`. */
  peer(address: string): number {
    return this.state.peers.number(address);
  }

  /**
   * Takes in rows that were journaled: packed, in their order. `peers`: the number `peer` gave, by the number that
   * is in the tags of the rows. A sender without one is not known.
   */
  live(rows: Int32Array, peers: ArrayLike<number>, atS: number): void {
    moveTo(this.state, this.state.clock.fromEven(atS));
    this.#intake.take(rows, peers);
    this.#fit();
  }

  /**
   * Takes in rows of the store, packed. What was heard stays, unless it was last heard at `missedUntilS` or before:
   * batches up to then may have been missed. Returns how many rows were taken, and how many live ones are newer in
   * the table, which only another reporter can have written.
   */
  table(rows: Int32Array, atS: number, missedUntilS?: number): TableCount {
    moveTo(this.state, this.state.clock.fromEven(atS));
    return this.#read(rows, false, missedUntilS);
  }

  /**
   * Takes in rows that wait for the store, packed, as `table` does. To be handed over before the rows of the store are:
   * what these have of the same keys is older.
   */
  pending(rows: Int32Array, atS: number, missedUntilS?: number): TableCount {
    moveTo(this.state, this.state.clock.fromEven(atS));
    return this.#read(rows, true, missedUntilS);
  }

  #read(rows: Int32Array, isPending: boolean, missedUntilS: number | undefined): TableCount {
    const count = { taken: 0, foreign: 0 };
    const missedUntil = missedUntilS === undefined ? 0 : this.state.clock.fromEven(missedUntilS);
    takeTableRows(this.state, rows, { isPending, missedUntil }, count);
    this.#fit();
    return count;
  }

  /**
   * Begins a reading: what waits for the store is handed to `pending`, then everything in the store to `table`. Where
   * that was all there is, `endSweep` finds which rows are gone from the table.
   */
  beginReading(): void {
    beginReading(this.state);
  }

  /** Forgets rows that the sweep has not seen and that were last heard before `heardBeforeS`. Returns how many. */
  endSweep(heardBeforeS: number): number {
    return endSweep(this.state, this.state.clock.fromEven(heardBeforeS));
  }

  /** So many connections from an address are open now. */
  connection(address: string, count: number): void {
    this.state.peers.setOpenFrom(address, count);
  }

  /** Machines that were heard, the last one first, at most `limit`: for `remember` at the next start. */
  machines(limit: number): Machine[] {
    return knownMachines(this.state, limit);
  }

  /** Machines that the process before had heard: they are gone until they are back. */
  remember(machines: Iterable<Machine>): void {
    rememberMachines(this.state, machines);
  }

  /** What the processes before have seen; incidents that ran go on. Once, as early as can be. */
  rememberPast(past: Past): void {
    rememberPast(this.state, past);
  }

  /** Replaces what is known of open connections: address and how many. */
  connections(open: Iterable<readonly [address: string, count: number]>): void {
    this.state.peers.setOpen(open);
  }

  /** Tells by how much the wall clock is ahead of the even one: how times are shown, and `ts` is read. */
  setWallOffset(offsetS: number): void {
    this.state.clock.setOffset(offsetS);
  }

  /** Goes on with other settings and names: everything known is looked at anew with them by the next tick. */
  set(settings: ViewSettings, nameOf: NameOf): void {
    const { state } = this;
    state.settings = settings;
    state.nameOf = nameOf;
    reassessRows(state);
    const { records, standings } = state.services;
    for (let service = 0; service < records.high; service++) {
      if (records.used[service] !== 1) continue;
      state.services.markDirty(service);
      // Who shows a standing keeps what it made of it, with the settings of that time.
      const standing = standings[service];
      if (standing) standings[service] = { ...standing };
    }
    this.#hasChanged = true;
    this.#fit();
  }

  /** Adds something that happened to the reporter to the changes. */
  note(text: string, kind: 'reporter' | 'clock-stepped' = 'reporter'): void {
    this.state.changes.add(this.state.now, kind, text);
  }

  /** Brings everything up to a second, and takes a snapshot. To be called once a second. */
  tick(atS: number): Snapshot {
    const { state } = this;
    const { services } = state;
    moveTo(state, state.clock.fromEven(atS));
    this.#beginIds();
    this.covered.tick(state.now, this.condition.behind === undefined);
    this.#lookAtMore();
    watchVoices(state);
    const { due } = services;
    for (let service = 0; service < services.records.high; service++)
      if (due[service]! !== 0 && due[service]! <= state.now) services.markDirty(service);
    if (this.#services !== services.records.size) this.#hasChanged = true;
    this.#services = services.records.size;
    this.settle();
    for (const incident of state.resuming.expired(state.now)) endIncident(state, incident, incident.lastOn);
    this.#keepWorstLevels();
    this.#recount();
    const snapshot = this.snapshots.take(state, this.#hasChanged);
    this.#hasChanged = false;
    return snapshot;
  }

  /**
   * Looks anew at what changed since the last tick, so that an answer of several parts is of one moment. `atMost`: so
   * many services. Returns whether that was all.
   */
  settle(atMost = Number.POSITIVE_INFINITY): boolean {
    const { services } = this.state;
    for (const service of services.dirty.splice(0, atMost)) {
      services.clean(service);
      if (services.records.used[service] === 1 && assessService(this.state, service)) this.#hasChanged = true;
    }
    return services.dirty.length === 0;
  }

  /**
   * Does a part of what the next tick has to do: moves on to a second and looks at `atMost` services. Returns whether
   * that was all. For who has others to serve in between: every ten seconds, all services change at once.
   */
  settleSome(atS: number, atMost: number): boolean {
    moveTo(this.state, this.state.clock.fromEven(atS));
    return this.settle(atMost);
  }

  /** How much there is of everything; for metrics. */
  counts(): ViewCounts {
    const { hosts, voices, rows, incidents, sampling } = this.state;
    return {
      rows: rows.size,
      services: this.snapshots.current.counts,
      hosts: {
        overloaded: 0,
        disputed: 0,
        failing: 0,
        noted: 0,
        ok: 0,
        idle: 0,
        stale: 0,
        withdrawn: 0,
        ...countCodes(hosts.records.used, hosts.state, HOST_STATE_OF),
      },
      callers: {
        reporting: 0,
        connected: 0,
        gone: 0,
        table: 0,
        ...countCodes(voices.records.used, voices.state, VOICE_STATE_OF),
      },
      lostAtStart: countLost(this.state),
      sharedCallers: countShared(this.state),
      incidentsOpen: incidents.openCount,
      incidentsBegun: { ...incidents.begun },
      mismatches: this.#mismatches,
      sampled: sampling.share,
    };
  }

  /** What there is, in rows: hosts count when they are so many that they matter more than their rows. */
  get #size(): number {
    const { rows, hosts, services } = this.state;
    const hostsAndServices = hosts.records.size + HOSTS_A_SERVICE * services.records.size;
    return Math.max(rows.size, ROWS_A_HOST * hostsAndServices);
  }

  /** Looks at fewer callers while there are too many rows, or hosts of few callers each. */
  #fit(): void {
    const { rows, settings, sampling, voices } = this.state;
    while (this.#size > settings.maxRows && sampling.halve()) {
      const { words, used, high } = rows.records;
      const dropped: number[] = [];
      for (let row = 0; row < high; row++)
        if (used[row] === 1 && !sampling.keeps(voices.ip(words[row * ROW_WORDS + VOICE]!))) dropped.push(row);
      if (dropped.length > 0) forgetRows(this.state, dropped);
      forgetMachines(this.state);
    }
  }

  /** Looks at more callers when there is room again; their rows come as they are heard. */
  #lookAtMore(): void {
    const { settings, sampling } = this.state;
    if (sampling.share < 1 && this.#size * SPARSE < settings.maxRows) sampling.double();
  }

  /** Ids tell their time, and go on from those of the processes before. */
  #beginIds(): void {
    const { changes, incidents, clock, now } = this.state;
    const first = firstIdOf(clock.toWall(now));
    changes.idsFrom(first);
    incidents.idsFrom(first);
  }

  #keepWorstLevels(): void {
    const { services } = this.state;
    const { level, minuteLevel } = services;
    for (let service = 0; service < services.records.high; service++) {
      const worst = minuteLevel[service]!;
      if (!(worst >= level[service]!)) minuteLevel[service] = level[service]!;
    }
  }

  /** Each tick one service is counted from its rows: the ledger of the view. */
  #recount(): void {
    const { services } = this.state;
    const { high, used } = services.records;
    for (let tries = 0; tries < high; tries++) {
      this.#recounted = (this.#recounted + 1) % high;
      if (used[this.#recounted] !== 1) continue;
      this.#mismatches += recountService(this.state, this.#recounted);
      return;
    }
  }
}

function countCodes<Name extends string>(
  used: Uint8Array,
  codes: Uint8Array,
  names: readonly (Name | null)[],
): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {};
  for (let index = 0; index < codes.length; index++) {
    const name = used[index] === 1 ? names[codes[index]!] : undefined;
    if (name) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
