import { encodeReportFrame } from '../../client/encode.js';
import type { Report } from '../../model/report.js';
import type { Row } from '../../model/row.js';
import {
  type CallTotals,
  SERVICES_PER_MODID,
  type SentReport,
  World,
  type WorldOptions,
} from '../../simulation/index.js';
import type { Traffic } from './traffic.js';

/** Words of a key's last report: succ, err, overload, ts, and whether it is one of its agent's last reports. */
const WORDS = 5;
const SUCC = 0;
const ERR = 1;
const OVERLOAD = 2;
const TS = 3;
const IS_FINAL = 4;
/** Rows of reports that wait for their connections; beyond, the calls wait, too: about 100 bytes each. */
const MAX_WAITING_ROWS = 1_000_000;

export interface WorldShape extends WorldOptions {
  readonly services: number;
  readonly seed: number;
  readonly modidBase: number;
}

/**
 * Reports of agents that behave like real ones, in real time.
 *
 * Where agents share a caller they share keys, too, and the reporter reads their connections in any order: the last
 * report of any of them may be the one in the table. A key that was withdrawn from an agent whose connection was
 * lost may not have arrived: it is not compared.
 */
export class WorldTraffic implements Traffic {
  readonly shape: WorldShape;
  readonly maxFrameBytes: number;
  readonly owedOnReconnect = 0;
  lastRows = 0;
  distinctKeys = 0;
  readonly #world: World;
  readonly #waiting: readonly SentReport[][];
  #waitingRows = 0;
  /** Of each agent: whether its last reports have begun, and the service that is due next then. */
  readonly #isEnding: Uint8Array;
  readonly #nextService: Uint32Array;
  /** What each agent said last of each host, WORDS each; index: see `#keyOf`. */
  readonly #last: Uint32Array;
  /** Agents by caller, rising; the first stands for all that share it. */
  readonly #agentsOf = new Map<number, number[]>();
  readonly #isReported: Uint8Array;

  constructor(shape: WorldShape) {
    this.shape = shape;
    this.#world = new World(shape);
    const { agents, hosts } = shape;
    this.maxFrameBytes = largestFrame(hosts);
    this.#waiting = Array.from({ length: agents }, () => []);
    this.#isEnding = new Uint8Array(agents);
    this.#nextService = new Uint32Array(agents);
    this.#last = new Uint32Array(this.keys * WORDS);
    this.#isReported = new Uint8Array(this.keys);
    for (let agent = 0; agent < agents; agent++) {
      const caller = this.#world.callerOf(agent);
      const sharing = this.#agentsOf.get(caller);
      if (sharing) sharing.push(agent);
      else this.#agentsOf.set(caller, [agent]);
    }
  }

  get keys(): number {
    const { agents, services, hosts } = this.shape;
    return agents * services * hosts;
  }

  get calls(): CallTotals {
    return this.#world.calls;
  }

  *due(elapsedMs: number): Generator<number> {
    if (this.#world.nowMs === 0) this.#world.startMs = Date.now() - elapsedMs;
    if (this.#waitingRows > MAX_WAITING_ROWS) return;
    for (const sent of this.#world.reportsUntil(elapsedMs)) {
      this.#waiting[sent.agent]!.push(sent);
      this.#waitingRows += sent.report.results.length;
      yield sent.agent;
      if (this.#waitingRows > MAX_WAITING_ROWS) return;
    }
  }

  writeNext(agent: number, target: Uint8Array, at: number): number {
    const sent = this.#take(agent);
    if (!sent) {
      this.lastRows = 0;
      return at;
    }
    const { service, report } = sent;
    const frame = encodeReportFrame(report);
    target.set(frame, at);
    this.lastRows = report.results.length;
    this.#remember(agent, service, report);
    return at + frame.length;
  }

  lastReports(agent: number): number {
    for (const { report } of this.#waiting[agent]!.splice(0)) this.#waitingRows -= report.results.length;
    this.#isEnding[agent] = 1;
    this.#nextService[agent] = 0;
    return this.shape.services;
  }

  modids(): number[] {
    const { modidBase, services } = this.shape;
    return Array.from({ length: Math.ceil(services / SERVICES_PER_MODID) }, (_, index) => modidBase + index);
  }

  indexOf(row: Row): number {
    const { addresses } = this.#world;
    const agent = this.#agentsOf.get(row.caller)?.[0];
    const service = addresses.serviceOf(row);
    if (agent === undefined || service < 0 || service >= this.shape.services) return -1;
    const host = addresses.hostOf(service, row);
    return host < 0 ? -1 : this.#keyOf(agent, service, host);
  }

  wasReported(index: number): boolean {
    if (this.#isReported[index] !== 1) return false;
    const { perAgent, agents } = this.#sharing(index);
    return agents.every((agent) => {
      const at = (agent * perAgent + (index % perAgent)) * WORDS;
      return this.#isEnding[agent] !== 1 || this.#last[at + TS] === 0 || this.#last[at + IS_FINAL] === 1;
    });
  }

  isLast(index: number, row: Row): boolean {
    return this.#candidates(index).some((at) => {
      const last = this.#last.subarray(at, at + WORDS);
      return (
        last[SUCC] === row.succ &&
        last[ERR] === row.err &&
        (last[OVERLOAD] === 1) === row.overload &&
        last[TS] === row.ts
      );
    });
  }

  lastRow(index: number): Row {
    const { services, hosts } = this.shape;
    const { addresses } = this.#world;
    const slot = Math.floor(index / hosts);
    const service = slot % services;
    const at = this.#candidates(index).reduce((a, b) => (this.#last[b + TS]! > this.#last[a + TS]! ? b : a));
    return {
      modid: addresses.modid(service),
      cmdid: addresses.cmdid(service),
      ...addresses.host(service, index % hosts),
      caller: this.#world.callerOf(Math.floor(slot / services)),
      succ: this.#last[at + SUCC]!,
      err: this.#last[at + ERR]!,
      ts: this.#last[at + TS]!,
      overload: this.#last[at + OVERLOAD] === 1,
    };
  }

  *reportedKeys(modid: number): Generator<number> {
    const { services, hosts, modidBase } = this.shape;
    const first = (modid - modidBase) * SERVICES_PER_MODID;
    const end = Math.min(services, first + SERVICES_PER_MODID);
    for (const [agent] of this.#agentsOf.values()) {
      for (let service = first; service < end; service++) {
        for (let host = 0; host < hosts; host++) {
          const index = this.#keyOf(agent!, service, host);
          if (this.wasReported(index)) yield index;
        }
      }
    }
  }

  /** The report an agent has to send next. When it makes its last ones: of its services as they are, in turn. */
  #take(agent: number): Pick<SentReport, 'service' | 'report'> | undefined {
    if (this.#isEnding[agent] !== 1) {
      const sent = this.#waiting[agent]!.shift();
      if (sent) this.#waitingRows -= sent.report.results.length;
      return sent;
    }
    const service = this.#nextService[agent]! % this.shape.services;
    this.#nextService[agent] = service + 1;
    const report = this.#world.reportNow(agent, service);
    return report && { service, report };
  }

  #remember(agent: number, service: number, report: Report): void {
    const sharing = this.#agentsOf.get(report.caller)!;
    const { addresses } = this.#world;
    for (const result of report.results) {
      const host = addresses.hostOf(service, result);
      const at = this.#keyOf(agent, service, host) * WORDS;
      this.#last[at + SUCC] = result.succ;
      this.#last[at + ERR] = result.err;
      this.#last[at + OVERLOAD] = result.overload ? 1 : 0;
      this.#last[at + TS] = report.ts;
      this.#last[at + IS_FINAL] = this.#isEnding[agent]!;
      const shared = this.#keyOf(sharing[0]!, service, host);
      if (this.#isReported[shared] === 1) continue;
      this.#isReported[shared] = 1;
      this.distinctKeys++;
    }
  }

  #keyOf(agent: number, service: number, host: number): number {
    return (agent * this.shape.services + service) * this.shape.hosts + host;
  }

  /** The agents that share a key. */
  #sharing(index: number): { perAgent: number; agents: readonly number[] } {
    const perAgent = this.shape.services * this.shape.hosts;
    return { perAgent, agents: this.#agentsOf.get(this.#world.callerOf(Math.floor(index / perAgent)))! };
  }

  /** Where the last reports of a key stand, one of each agent that made any. */
  #candidates(index: number): number[] {
    const { perAgent, agents } = this.#sharing(index);
    return agents
      .map((agent) => (agent * perAgent + (index % perAgent)) * WORDS)
      .filter((at) => this.#last[at + TS] !== 0);
  }
}

/** Bytes of the longest report on so many hosts. */
function largestFrame(hosts: number): number {
  const most = 0xffff_ffff;
  const result = { ip: -1, port: 65_535, succ: most, err: most, overload: true };
  const results = Array.from({ length: hosts }, () => result);
  return encodeReportFrame({ modid: -1, cmdid: -1, caller: -1, ts: most, results }).length;
}
