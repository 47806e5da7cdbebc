import type { Report } from '../model/report.js';
import { HostState } from './host-state.js';
import type { AgentRules } from './rules.js';

/** Where a host is called. */
export interface HostAddress {
  /** IPv4 in host order, int32. */
  readonly ip: number;
  /** 0 … 65535. */
  readonly port: number;
}

/**
 * One service as one agent balances it: two rings of hosts, idle and overloaded, each used in turn.
 *
 * A call takes the next idle host. While hosts are overloaded, every call after `probeNum` others goes to one of
 * them. Where none is idle, these others are refused (RET_OVERLOAD): no call, no result, no report.
 */
export class Balancer {
  readonly #rules: AgentRules;
  #idle: HostState[] = [];
  #overloaded: HostState[] = [];
  /** Calls since the last probe. */
  #sinceProbe = 0;
  #lastReportS = Number.NEGATIVE_INFINITY;

  constructor(rules: AgentRules) {
    this.#rules = rules;
  }

  /** Hosts of the route. */
  get hosts(): number {
    return this.#idle.length + this.#overloaded.length;
  }

  /** Takes over a route: hosts it does not name are forgotten, those that are new are idle and stand behind. */
  setRoute(addresses: readonly HostAddress[], nowS: number): void {
    const wanted = new Map(addresses.map((address) => [addressKey(address), address]));
    const keep = (host: HostState): boolean => wanted.delete(addressKey(host));
    this.#idle = this.#idle.filter(keep);
    this.#overloaded = this.#overloaded.filter(keep);
    for (const address of wanted.values()) this.#idle.push(new HostState(address, this.#rules, nowS));
  }

  /** The host that the next call goes to; undefined when the call is refused or the route is empty. */
  choose(): HostState | undefined {
    const [idle, overloaded] = [this.#idle, this.#overloaded];
    if (overloaded.length === 0) return nextOf(idle);
    if (this.#sinceProbe >= this.#rules.probeNum) {
      this.#sinceProbe = 0;
      return nextOf(overloaded);
    }
    this.#sinceProbe++;
    return nextOf(idle);
  }

  /** Counts the result of a call to a host that `choose` gave. `nowS`: the agent's clock, whole seconds. */
  count(host: HostState, ok: boolean, nowS: number): void {
    const wasOverloaded = host.overload;
    host.count(ok, nowS);
    if (host.overload === wasOverloaded) return;
    const [from, to] = wasOverloaded ? [this.#overloaded, this.#idle] : [this.#idle, this.#overloaded];
    const index = from.indexOf(host);
    if (index < 0) return;
    from.splice(index, 1);
    to.push(host);
  }

  /** Whether a result at `nowS` is followed by a report. */
  isReportDue(nowS: number): boolean {
    const { reportEveryS } = this.#rules;
    return this.hosts > 0 && (reportEveryS === 0 || nowS - this.#lastReportS >= reportEveryS);
  }

  /** The report of now: every host of the route, idle ones first, in the order of their rings. */
  report(service: { readonly modid: number; readonly cmdid: number }, caller: number, nowS: number): Report {
    this.#lastReportS = nowS;
    const results = [];
    for (const host of this.#idle) results.push(host.result());
    for (const host of this.#overloaded) results.push(host.result());
    return { modid: service.modid, cmdid: service.cmdid, caller, ts: nowS >>> 0, results };
  }
}

/** The first of a ring, which then stands last. */
function nextOf(ring: HostState[]): HostState | undefined {
  const host = ring.shift();
  if (host) ring.push(host);
  return host;
}

function addressKey({ ip, port }: HostAddress): number {
  return (ip >>> 0) * 0x10000 + port;
}
