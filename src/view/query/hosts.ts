import { formatIpv4 } from '../../model/ipv4.js';
import { DISPUTED, FAILING, NOTED, OVERLOADED } from '../hosts.js';
import type { HostAddress, HostAnswer, HostsAnswer } from '../shapes.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { compareHosts, serviceHostAnswer } from './hostanswer.js';
import { Parameters, Unanswerable } from './parameters.js';

export const HOSTS_PARAMETERS = ['q', 'min', 'limit', 'offset'] as const;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_SERVICES = 1_000_000;
/** An address that so many services, and half of those it serves, hold for overloaded is suspect. */
const SUSPECT_SERVICES = 2;

/** One address: in how many services it is in which state. A service with several ports of it counts once a state. */
interface Tally {
  readonly ip: number;
  services: number;
  overloaded: number;
  disputed: number;
  failing: number;
  noted: number;
  heard: number;
}

/** GET /api/hosts. `min`: overloaded in so many services at least. Throws `Unanswerable`. */
export function listHosts(view: View, query: URLSearchParams): HostsAnswer {
  const asked = new Parameters(query, HOSTS_PARAMETERS);
  const q = asked.text('q') ?? '';
  const min = asked.integer('min', 0, MAX_SERVICES) ?? 0;
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const offset = asked.offset();
  const { state } = view;
  view.settle();
  const found = [...tallies(state).values()]
    .filter(({ ip, overloaded }) => overloaded >= min && (q === '' || formatIpv4(ip).startsWith(q)))
    .sort(compareTallies);
  return {
    ...headOf(view),
    total: found.length,
    hosts: found.slice(offset, offset + limit).map((tally) => addressAnswer(state, tally)),
  };
}

/** GET /api/hosts/:ip. Throws `Unanswerable`. */
export function showHost(view: View, ip: number, query: URLSearchParams): HostAnswer {
  new Parameters(query, []);
  const { state } = view;
  view.settle();
  const { used, high } = state.hosts.records;
  const found: number[] = [];
  for (let host = 0; host < high; host++)
    if (used[host] === 1 && state.hosts.ip(host) === ip) found.push(host);
  const tally = tallies(state, found).get(ip);
  if (!tally) throw new Unanswerable(404, `no agent has reported host ${formatIpv4(ip)}`);
  return {
    ...headOf(view),
    host: addressAnswer(state, tally),
    hosts: found.sort(compareHosts(state)).map((host) => serviceHostAnswer(state, host)),
  };
}

/** By address, of all hosts or of some. */
function tallies(state: ViewState, some?: readonly number[]): Map<number, Tally> {
  const { hosts } = state;
  const { used, high } = hosts.records;
  const found = new Map<number, Tally>();
  const several = new Map<number, Map<number, number[]>>();
  const note = (host: number) => {
    const ip = hosts.ip(host);
    let tally = found.get(ip);
    if (!tally) {
      tally = { ip, services: 0, overloaded: 0, disputed: 0, failing: 0, noted: 0, heard: 0 };
      found.set(ip, tally);
    }
    tally.heard = Math.max(tally.heard, hosts.heard[host]!);
    const byService = several.get(ip) ?? new Map<number, number[]>();
    several.set(ip, byService);
    const service = hosts.service[host]!;
    const states = byService.get(service) ?? [];
    byService.set(service, states);
    if (hosts.callers[host]! > 0) {
      if (states.length === 0) tally.services++;
      if (!states.includes(hosts.state[host]!)) count(tally, hosts.state[host]!);
      states.push(hosts.state[host]!);
    }
  };
  if (some) for (const host of some) note(host);
  else for (let host = 0; host < high; host++) if (used[host] === 1) note(host);
  return found;
}

function count(tally: Tally, state: number): void {
  if (state === OVERLOADED) tally.overloaded++;
  else if (state === DISPUTED) tally.disputed++;
  else if (state === FAILING) tally.failing++;
  else if (state === NOTED) tally.noted++;
}

/** Overloaded in most services first. */
function compareTallies(a: Tally, b: Tally): number {
  return (
    b.overloaded - a.overloaded ||
    b.disputed - a.disputed ||
    b.failing - a.failing ||
    b.noted - a.noted ||
    (a.ip >>> 0) - (b.ip >>> 0)
  );
}

function addressAnswer({ clock }: ViewState, tally: Tally): HostAddress {
  const { ip, services, overloaded, disputed, failing, noted, heard } = tally;
  return {
    ip: formatIpv4(ip),
    services,
    overloaded,
    disputed,
    failing,
    noted,
    suspect: overloaded >= SUSPECT_SERVICES && overloaded * 2 >= services,
    lastHeard: clock.isoOrNull(heard),
  };
}
