import { COUNTER_WORDS, ReportTemplate } from '../../client/encode.js';
import type { Row } from '../../model/row.js';
import { Addresses, mix32, SERVICES_PER_MODID } from '../../simulation/index.js';
import type { AgentTraffic } from './agent-traffic.js';

export interface WorkloadShape {
  readonly agents: number;
  /** Services that each agent reports on. */
  readonly services: number;
  /** Hosts of a service, all of which stand in each report on it. */
  readonly hosts: number;
  /** Repeats the counters and their order. */
  readonly seed: number;
  /** modid of the first service. */
  readonly modidBase: number;
  /** Address of the first agent, IPv4 in host order. */
  readonly firstCaller: number;
  /** Reports of one agent in a window; undefined: `windowMs` by the clock instead. */
  readonly windowReports: number | undefined;
  /** Milliseconds after which the counters of an agent begin anew. */
  readonly windowMs: number;
}

/** A counter beyond this begins anew, which only a window of days gets to. */
const COUNTER_BITS = 0x3fff_ffff;
/** One host in so many is sick in a window: most calls to it fail. */
const SICK_ONE_IN = 16;

/**
 * What simulated agents report, and what they reported last. All of it lies in packed arrays, 12 bytes a key, so that a
 * million keys cost little more than the million rows a second that are written from them.
 *
 * Agents report on their services in turn, each beginning with another one. The nth report of an agent is the same
 * in every run with the same seed and shape, but for ts – where windows are counted in reports; where they go by the
 * clock, the moment at which the counters begin anew depends on it.
 */
export class Workload implements AgentTraffic {
  readonly shape: WorkloadShape;
  /** All hosts stand in each report. */
  readonly lastRows: number;
  readonly owedOnReconnect: number;
  /** Room that any report fits in, in bytes. */
  readonly maxFrameBytes: number;
  /** Keys that were reported at least once. */
  distinctKeys = 0;
  readonly #addresses: Addresses;
  readonly #templates: readonly ReportTemplate[];
  /** Last counters of each key, COUNTER_WORDS each; index: see `#slot`, times hosts. */
  readonly #counters: Uint32Array;
  /** Of each slot (an agent's service): ts of the last report; 0 = there was none. */
  readonly #ts: Uint32Array;
  /** Of each slot: number of the window its counters belong to. */
  readonly #windows: Uint32Array;
  /** Of each agent: the service it reports on next, how many reports it made, its random state, its window's phase. */
  readonly #next: Uint32Array;
  readonly #reports: Uint32Array;
  readonly #random: Int32Array;
  readonly #phase: Float64Array;

  constructor(shape: WorkloadShape) {
    const { agents, services, hosts, seed } = shape;
    this.shape = shape;
    this.lastRows = hosts;
    this.owedOnReconnect = services;
    this.#addresses = new Addresses(shape);
    this.#templates = Array.from(
      { length: services },
      (_, service) =>
        new ReportTemplate({
          modid: this.#addresses.modid(service),
          cmdid: this.#addresses.cmdid(service),
          hosts: Array.from({ length: hosts }, (_, host) => this.#addresses.host(service, host)),
        }),
    );
    this.maxFrameBytes = this.#templates.reduce((most, each) => Math.max(most, each.maxFrameBytes), 0);
    this.#counters = new Uint32Array(agents * services * hosts * COUNTER_WORDS);
    this.#ts = new Uint32Array(agents * services);
    this.#windows = new Uint32Array(agents * services);
    this.#reports = new Uint32Array(agents);
    this.#next = Uint32Array.from({ length: agents }, (_, agent) => mix32(seed + 1, agent) % services);
    // A state of 0 would stay 0.
    this.#random = Int32Array.from({ length: agents }, (_, agent) => mix32(seed + 2, agent) | 1);
    this.#phase = Float64Array.from({ length: agents }, (_, agent) => mix32(seed + 3, agent) / 0x1_0000_0000);
  }

  /** Keys that can be reported in all. */
  get keys(): number {
    const { agents, services, hosts } = this.shape;
    return agents * services * hosts;
  }

  /** The modids of all services, rising. */
  modids(): number[] {
    const { modidBase, services } = this.shape;
    return Array.from({ length: Math.ceil(services / SERVICES_PER_MODID) }, (_, index) => modidBase + index);
  }

  /**
   * Writes the agent's next report into `target` from `at` on, remembers it as the last of its keys, and returns
   * where it ends. `ts`: the clock, whole seconds; `elapsedMs`: since the simulation began.
   */
  writeNext(agent: number, target: Uint8Array, at: number, ts: number, elapsedMs: number): number {
    const { services, hosts, firstCaller } = this.shape;
    const service = this.#next[agent]!;
    this.#next[agent] = service + 1 === services ? 0 : service + 1;
    const slot = agent * services + service;
    const from = slot * hosts * COUNTER_WORDS;
    if (this.#ts[slot] === 0) this.distinctKeys += hosts;
    this.#ts[slot] = ts;
    this.#count(agent, service, slot, from, this.#window(agent, elapsedMs));
    return this.#templates[service]!.write(target, at, firstCaller + agent, ts, this.#counters, from);
  }

  lastReports(): number {
    return this.shape.services;
  }

  /** Where the key of a row stands in the arrays; -1 when it is no key of this workload. */
  indexOf(row: Row): number {
    const { agents, services, hosts, firstCaller } = this.shape;
    const agent = (row.caller - firstCaller) >>> 0;
    const service = this.#addresses.serviceOf(row);
    if (agent >= agents || service < 0 || service >= services) return -1;
    const host = this.#addresses.hostOf(service, row);
    return host < 0 ? -1 : (agent * services + service) * hosts + host;
  }

  /** Whether the key at `index` was ever reported. */
  wasReported(index: number): boolean {
    return this.#ts[Math.floor(index / this.shape.hosts)] !== 0;
  }

  /** Whether a row is what was last reported of the key at `index`. */
  isLast(index: number, row: Row): boolean {
    const at = index * COUNTER_WORDS;
    return (
      this.#counters[at] === row.succ &&
      this.#counters[at + 1] === row.err &&
      (this.#counters[at + 2] === 1) === row.overload &&
      this.#ts[Math.floor(index / this.shape.hosts)] === row.ts
    );
  }

  /** The row that the last report of the key at `index` should leave in the table. */
  lastRow(index: number): Row {
    const { services, hosts } = this.shape;
    const slot = Math.floor(index / hosts);
    const service = slot % services;
    const host = index % hosts;
    const at = index * COUNTER_WORDS;
    return {
      modid: this.#addresses.modid(service),
      cmdid: this.#addresses.cmdid(service),
      ...this.#addresses.host(service, host),
      caller: this.#addresses.caller(Math.floor(slot / services)),
      succ: this.#counters[at]!,
      err: this.#counters[at + 1]!,
      ts: this.#ts[slot]!,
      overload: this.#counters[at + 2] === 1,
    };
  }

  /** The indexes of all reported keys of a modid. */
  *reportedKeys(modid: number): Generator<number> {
    const { agents, services, hosts, modidBase } = this.shape;
    const first = (modid - modidBase) * SERVICES_PER_MODID;
    const end = Math.min(services, first + SERVICES_PER_MODID);
    for (let agent = 0; agent < agents; agent++) {
      for (let slot = agent * services + first; slot < agent * services + end; slot++) {
        if (this.#ts[slot] === 0) continue;
        for (let host = 0; host < hosts; host++) yield slot * hosts + host;
      }
    }
  }

  /** Number of the agent's window; windows of different agents begin at different times. */
  #window(agent: number, elapsedMs: number): number {
    const { windowReports, windowMs } = this.shape;
    const made = this.#reports[agent]!;
    this.#reports[agent] = made + 1;
    const passed = windowReports === undefined ? elapsedMs / windowMs : made / windowReports;
    return Math.floor(passed + this.#phase[agent]!);
  }

  /** Counts calls to every host of a service: growing within a window, from nothing in a new one. */
  #count(agent: number, service: number, slot: number, from: number, window: number): void {
    const { hosts, seed } = this.shape;
    const counters = this.#counters;
    const end = from + hosts * COUNTER_WORDS;
    if (this.#windows[slot] !== window) {
      this.#windows[slot] = window;
      counters.fill(0, from, end);
    }
    // Which hosts are sick is the same for all agents, as it is with real ones.
    let health = Math.imul(service * hosts + 1, 0x9e3779b1) ^ mix32(seed, window);
    let random = this.#random[agent]!;
    for (let at = from; at < end; at += COUNTER_WORDS) {
      // xorshift32
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      health = (health + 0x9e3779b1) | 0;
      const isSick = (Math.imul(health ^ (health >>> 15), 0x735a2d97) >>> 16) % SICK_ONE_IN === 0;
      let succ = counters[at]!;
      let err = counters[at + 1]!;
      if (isSick) {
        succ += random & 3;
        err += 1 + ((random >>> 8) & 31);
      } else {
        succ += 1 + (random & 31);
        if (((random >>> 8) & 15) === 0) err++;
      }
      counters[at] = succ & COUNTER_BITS;
      counters[at + 1] = err & COUNTER_BITS;
      counters[at + 2] = err > succ ? 1 : 0;
    }
    this.#random[agent] = random;
  }
}
