import type { Report } from '../model/report.js';
import { Addresses } from './addresses.js';
import { Balancer } from './balancer.js';
import { type Condition, Conditions } from './conditions.js';
import { seededRandom } from './mix.js';
import { type AgentRules, LARS } from './rules.js';

/** What a world is made of. */
export interface WorldOptions {
  /** Agents, a machine each; every one of them calls every service. */
  readonly agents: number;
  /** 1 unless given. */
  readonly services?: number;
  /** Hosts of a service. */
  readonly hosts: number;
  /** Calls a second of one agent to one service, on average, at random times; above 0. */
  readonly callsPerSecond: number;
  /** Share (0 … 1) of calls that fail where nothing is wrong; 0 unless given. */
  readonly errorShare?: number;
  /** What is wrong; nothing unless given. */
  readonly conditions?: readonly Condition[];
  /** What the agents go by; LARS unless given. */
  readonly rules?: AgentRules;
  /** Repeats times and results of all calls; 1 unless given. */
  readonly seed?: number;
  /** What the clocks show when the world begins, in milliseconds since 1970; 2027-01-01 UTC unless given. */
  readonly startMs?: number;
  /** modid of the first 100 services; 1 unless given. */
  readonly modidBase?: number;
  /** Address of the first agent, IPv4 in host order; the others follow. 10.0.0.1 unless given. */
  readonly firstCaller?: number;
}

/** A report, and when who sent it. */
export interface SentReport {
  /** Milliseconds since the world began. */
  readonly atMs: number;
  /** Number of the agent from 0: which machine, whatever caller it names. */
  readonly agent: number;
  /** Number of the service from 0. */
  readonly service: number;
  readonly report: Report;
}

/** Plain counts of what applications did; calls made are those that a host was found for. */
export interface CallTotals {
  made: number;
  /** Those among the calls made that failed. */
  failed: number;
  /** Calls that were told all hosts are overloaded, or that there is none. */
  refused: number;
}

const START_MS = Date.UTC(2027, 0, 1);
const FIRST_CALLER = 0x0a00_0001;

/**
 * Agents that balance calls to services, on a clock of their own: an hour passes in seconds. What is sent depends on
 * the options alone. Two worlds that differ only in their conditions have their calls at the same times.
 *
 *     const dead = { kind: 'sick-host', hosts: [0], fromMs: 30_000 } as const;
 *     const world = new World({ agents: 20, hosts: 10, callsPerSecond: 10, conditions: [dead] });
 *     for (const { atMs, report } of world.reportsUntil(300_000)) …
 *
 * Simpler than the real thing: a call takes no time, all services have equally many calls, and every agent knows of
 * a changed route at its next call, not within 15 s.
 */
export class World {
  readonly addresses: Addresses;
  readonly calls: CallTotals = { made: 0, failed: 0, refused: 0 };
  /** What the clocks show when the world begins, in milliseconds since 1970. To be set before anything happens. */
  startMs: number;
  readonly #services: number;
  readonly #hosts: number;
  readonly #conditions: Conditions;
  readonly #random: () => number;
  /** Average time between two calls of all agents together. */
  readonly #gapMs: number;
  /** Of each agent one after the other: of each service. */
  readonly #balancers: readonly Balancer[];
  readonly #callers: readonly number[];
  /** Of each balancer: how many route changes it knows of. */
  readonly #routes: Uint32Array;
  /** Route changes up to now. */
  #routeChanges = 0;
  #nowMs = 0;
  #nextCallMs: number;

  /** Throws RangeError for numbers that make no world. */
  constructor(options: WorldOptions) {
    const { agents, services = 1, hosts, callsPerSecond, conditions = [], rules = LARS, seed = 1 } = options;
    if (!(agents >= 1 && services >= 1 && hosts >= 1 && callsPerSecond > 0)) {
      throw new RangeError(
        `a world has agents, services, hosts and calls, not ${agents}, ${services}, ${hosts} and ${callsPerSecond}`,
      );
    }
    const { modidBase = 1, firstCaller = FIRST_CALLER } = options;
    this.addresses = new Addresses({ hosts, modidBase, firstCaller });
    this.#services = services;
    this.#hosts = hosts;
    this.#conditions = new Conditions(conditions, options.errorShare ?? 0);
    this.startMs = options.startMs ?? START_MS;
    this.#random = seededRandom(seed);
    this.#gapMs = 1000 / (agents * services * callsPerSecond);
    this.#balancers = Array.from({ length: agents * services }, () => new Balancer(rules));
    this.#callers = Array.from(
      { length: agents },
      (_, agent) => this.#conditions.sharedCaller(agent) ?? this.addresses.caller(agent),
    );
    this.#routes = new Uint32Array(agents * services).fill(0xffff_ffff);
    this.#nextCallMs = this.#gapToNextCall();
  }

  /** How far it has come, in milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The caller that an agent names, int32. */
  callerOf(agent: number): number {
    return this.#callers[agent]!;
  }

  /**
   * Lets time pass until `untilMs`, and yields what is sent meanwhile, in order. Whoever takes no more stops time
   * there: the next call goes on from the last report taken.
   */
  *reportsUntil(untilMs: number): Generator<SentReport, void, undefined> {
    while (this.#nextCallMs <= untilMs) {
      this.#nowMs = this.#nextCallMs;
      // As many random numbers a call, whatever comes of it: so conditions change results, not times.
      const [gapMs, who, luck] = [this.#gapToNextCall(), this.#random(), this.#random()];
      this.#nextCallMs += gapMs;
      const sent = this.#call(Math.floor(who * this.#balancers.length), luck);
      if (sent) yield sent;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** What an agent would report of a service now; undefined while the route is empty. */
  reportNow(agent: number, service: number): Report | undefined {
    const index = agent * this.#services + service;
    const nowS = this.#agentClockS(agent);
    const balancer = this.#balancerWithRoute(index, service, nowS);
    return balancer.hosts > 0 ? this.#report(balancer, agent, service, nowS) : undefined;
  }

  #call(index: number, luck: number): SentReport | undefined {
    const agent = Math.floor(index / this.#services);
    const service = index % this.#services;
    const atMs = this.#nowMs;
    if (this.#conditions.isSilent(agent, atMs)) return undefined;
    const nowS = this.#agentClockS(agent);
    const balancer = this.#balancerWithRoute(index, service, nowS);
    const host = balancer.choose();
    if (!host) {
      this.calls.refused++;
      return undefined;
    }
    const number = this.addresses.hostOf(service, host);
    const ok = luck >= this.#conditions.failureShare(agent, service, number, atMs);
    this.calls.made++;
    if (!ok) this.calls.failed++;
    balancer.count(host, ok, nowS);
    if (!balancer.isReportDue(nowS)) return undefined;
    return { atMs, agent, service, report: this.#report(balancer, agent, service, nowS) };
  }

  #report(balancer: Balancer, agent: number, service: number, nowS: number): Report {
    const { addresses } = this;
    const ids = { modid: addresses.modid(service), cmdid: addresses.cmdid(service) };
    return balancer.report(ids, this.#callers[agent]!, nowS);
  }

  /** The balancer, knowing the route of now. */
  #balancerWithRoute(index: number, service: number, nowS: number): Balancer {
    const balancer = this.#balancers[index]!;
    const { routeChangesMs } = this.#conditions;
    while (this.#nowMs >= (routeChangesMs[this.#routeChanges] ?? Number.POSITIVE_INFINITY)) {
      this.#routeChanges++;
    }
    if (this.#routes[index] === this.#routeChanges) return balancer;
    this.#routes[index] = this.#routeChanges;
    const route = [];
    for (let host = 0; host < this.#hosts; host++) {
      if (this.#conditions.isInRoute(service, host, this.#nowMs)) {
        route.push(this.addresses.host(service, host));
      }
    }
    balancer.setRoute(route, nowS);
    return balancer;
  }

  #agentClockS(agent: number): number {
    const skewMs = this.#conditions.skewMs(agent, this.#nowMs);
    return Math.floor((this.startMs + this.#nowMs + skewMs) / 1000);
  }

  /** Exponentially distributed: at any moment as likely as at any other. */
  #gapToNextCall(): number {
    return -Math.log(1 - this.#random()) * this.#gapMs;
  }
}
