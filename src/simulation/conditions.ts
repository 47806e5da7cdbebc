import { LOCAL_CALLER } from './addresses.js';

/** Numbers from 0, one by one or from a first to a last one, or all there are. */
export type Selection = 'all' | readonly number[] | { readonly first: number; readonly last: number };

/** When something is so: from `fromMs` on, before `toMs`, on the world's clock. Without them: always. */
export interface Span {
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** Which hosts, of which services; all services unless given. */
export interface HostSelection {
  readonly hosts: Selection;
  readonly services?: Selection;
}

/** `share` (0 … 1) of the calls to some hosts fail, whoever calls; all of them unless given. */
export interface SickHost extends HostSelection, Span {
  readonly kind: 'sick-host';
  readonly share?: number;
}

/** As a sick host, in turns: `onMs` sick, `offMs` well, beginning with sick. */
export interface FlappingHost extends HostSelection, Span {
  readonly kind: 'flap';
  readonly share?: number;
  readonly onMs: number;
  readonly offMs: number;
}

/** `share` of the calls of some agents fail, whomever they call; all of them unless given. */
export interface SickCaller extends Span {
  readonly kind: 'sick-caller';
  readonly agents: Selection;
  readonly share?: number;
}

/** `share` of the calls to some services fail, on every host; all of them unless given. */
export interface Outage extends Span {
  readonly kind: 'outage';
  readonly services: Selection;
  readonly share?: number;
}

/** Some agents have no calls, and so do not report. */
export interface Silence extends Span {
  readonly kind: 'silence';
  readonly agents: Selection;
}

/** Some hosts are not in the route. Those that come back are new to every agent. */
export interface Withdrawal extends HostSelection, Span {
  readonly kind: 'withdraw';
}

/** Some agents report under one and the same caller; 127.0.1.1 unless given. */
export interface SharedCaller {
  readonly kind: 'shared-caller';
  readonly agents: Selection;
  /** IPv4 in host order, int32. */
  readonly caller?: number;
}

/** The clocks of some agents are off: ahead by `skewMs`, or behind when it is negative. */
export interface ClockSkew extends Span {
  readonly kind: 'clock-skew';
  readonly agents: Selection;
  readonly skewMs: number;
}

/** What is not as it should be in a world. Where several share a call, the largest share of failures counts. */
export type Condition =
  | SickHost
  | FlappingHost
  | SickCaller
  | Outage
  | Silence
  | Withdrawal
  | SharedCaller
  | ClockSkew;

function isSelected(selection: Selection | undefined, number: number): boolean {
  if (selection === undefined || selection === 'all') return true;
  if ('first' in selection) return number >= selection.first && number <= selection.last;
  return selection.includes(number);
}

function isOn({ fromMs = 0, toMs = Number.POSITIVE_INFINITY }: Span, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}

function isHost({ hosts, services }: HostSelection, service: number, host: number): boolean {
  return isSelected(hosts, host) && isSelected(services, service);
}

/** What holds in a world at a time. */
export class Conditions {
  readonly #all: readonly Condition[];
  readonly #errorShare: number;
  /** When routes change, rising; without 0. */
  readonly routeChangesMs: readonly number[];

  /** `errorShare`: of calls that fail where nothing is wrong. Throws RangeError for a share outside 0 … 1. */
  constructor(conditions: readonly Condition[], errorShare: number) {
    this.#all = conditions;
    this.#errorShare = errorShare;
    for (const share of [
      errorShare,
      ...conditions.map((each) => ('share' in each ? (each.share ?? 1) : 1)),
    ]) {
      if (!(share >= 0 && share <= 1)) throw new RangeError(`a share of calls is 0 to 1, not ${share}`);
    }
    const changes = conditions
      .filter((each) => each.kind === 'withdraw')
      .flatMap(({ fromMs = 0, toMs = Number.POSITIVE_INFINITY }) => [fromMs, toMs])
      .filter((atMs) => atMs > 0 && atMs < Number.POSITIVE_INFINITY);
    this.routeChangesMs = [...new Set(changes)].sort((a, b) => a - b);
  }

  /** Probability that a call fails. */
  failureShare(agent: number, service: number, host: number, atMs: number): number {
    let share = this.#errorShare;
    for (const each of this.#all) {
      if (isFailing(each, agent, service, host, atMs)) share = Math.max(share, each.share ?? 1);
    }
    return share;
  }

  /** Whether an agent has no calls. */
  isSilent(agent: number, atMs: number): boolean {
    return this.#all.some(
      (each) => each.kind === 'silence' && isSelected(each.agents, agent) && isOn(each, atMs),
    );
  }

  isInRoute(service: number, host: number, atMs: number): boolean {
    return !this.#all.some(
      (each) => each.kind === 'withdraw' && isHost(each, service, host) && isOn(each, atMs),
    );
  }

  /** How far an agent's clock is ahead, in milliseconds. */
  skewMs(agent: number, atMs: number): number {
    let skewMs = 0;
    for (const each of this.#all) {
      if (each.kind === 'clock-skew' && isSelected(each.agents, agent) && isOn(each, atMs)) {
        skewMs += each.skewMs;
      }
    }
    return skewMs;
  }

  /** The caller that an agent shares with others; undefined when it has one of its own. */
  sharedCaller(agent: number): number | undefined {
    for (const each of this.#all) {
      if (each.kind === 'shared-caller' && isSelected(each.agents, agent)) {
        return (each.caller ?? LOCAL_CALLER) | 0;
      }
    }
    return undefined;
  }
}

type Failing = SickHost | FlappingHost | SickCaller | Outage;

function isFailing(
  each: Condition,
  agent: number,
  service: number,
  host: number,
  atMs: number,
): each is Failing {
  switch (each.kind) {
    case 'sick-host':
      return isHost(each, service, host) && isOn(each, atMs);
    case 'flap':
      return isHost(each, service, host) && isOn(each, atMs) && isFlapOn(each, atMs);
    case 'sick-caller':
      return isSelected(each.agents, agent) && isOn(each, atMs);
    case 'outage':
      return isSelected(each.services, service) && isOn(each, atMs);
    default:
      return false;
  }
}

function isFlapOn({ fromMs = 0, onMs, offMs }: FlappingHost, atMs: number): boolean {
  return (atMs - fromMs) % (onMs + offMs) < onMs;
}
