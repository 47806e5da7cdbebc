import { formatIpv4 } from '../../model/ipv4.js';
import { ADDRESS_WORDS, DISPUTED, FAILING, HOST_STATE_OF, NOTED, OVERLOADED } from '../hosts.js';
import type { HostAddress, HostAnswer, HostsAnswer } from '../shapes.js';
import type { Snapshot } from '../snapshot.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { addressMatcher, matchesNone } from './address-prefix.js';
import { headOf } from './head.js';
import { compareHosts, serviceHostAnswer } from './host-answer.js';
import { Parameters, Unanswerable } from './parameters.js';

export const HOSTS_PARAMETERS = ['q', 'min', 'limit', 'offset'] as const;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_SERVICES = 1_000_000;
/** An address that so many services, and half of those it serves, hold for overloaded is suspect. */
const SUSPECT_SERVICES = 2;

/**
 * Addresses by their numbers: in how many services each is in which state. A service with several ports of it counts
 * once a state. Columns, as there may be very many.
 */
interface Tallies {
  readonly services: Int32Array;
  readonly heard: Int32Array;
  /** In a row for each state of hosts. */
  readonly states: readonly Int32Array[];
}

/** GET /api/hosts. `min`: overloaded in so many services at least. Throws `Unanswerable`. */
export function listHosts(view: View, query: URLSearchParams): HostsAnswer {
  const asked = new Parameters(query, HOSTS_PARAMETERS);
  const q = asked.text('q') ?? '';
  const matches = addressMatcher(q) ?? matchesNone;
  const min = asked.integer('min', 0, MAX_SERVICES) ?? 0;
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const offset = asked.offset();
  const { state } = view;
  view.settle();
  const all = talliesOfTick(view);
  const overloaded = all.states[OVERLOADED]!;
  const { used, high, words } = state.hosts.addresses;
  const found: number[] = [];
  for (let address = 0; address < high; address++)
    if (
      used[address] === 1 &&
      overloaded[address]! >= min &&
      (q === '' || matches(words[address * ADDRESS_WORDS]!, 0))
    )
      found.push(address);
  return {
    ...headOf(view),
    total: found.length,
    hosts: pageOf(state, all, found, offset, limit).map((address) => addressAnswer(state, all, address)),
  };
}

/** GET /api/hosts/:ip. Throws `Unanswerable`. */
export function showHost(view: View, ip: number, query: URLSearchParams): HostAnswer {
  new Parameters(query, []);
  const { state } = view;
  view.settle();
  const { hosts, services } = state;
  const address = hosts.addresses.find(ip);
  if (address < 0) throw new Unanswerable(404, `no agent has reported host ${formatIpv4(ip)}`);
  const found: number[] = [];
  for (let service = 0; service < services.records.high; service++)
    if (services.records.used[service] === 1)
      for (const host of services.hostsOf[service]!) if (hosts.address[host] === address) found.push(host);
  return {
    ...headOf(view),
    host: addressAnswer(state, talliesOf(state), address),
    hosts: found.sort(compareHosts(state)).map((host) => serviceHostAnswer(state, host)),
  };
}

/** Counted once a tick, however many ask. */
const counted = new WeakMap<Snapshot, Tallies>();

function talliesOfTick({ state, snapshots }: View): Tallies {
  let found = counted.get(snapshots.current);
  // An address may be new since then.
  if (!found || found.services.length < state.hosts.addresses.high) {
    found = talliesOf(state);
    counted.set(snapshots.current, found);
  }
  return found;
}

function talliesOf({ hosts, services }: ViewState): Tallies {
  const { high } = hosts.addresses;
  const column = () => new Int32Array(high);
  const all: Tallies = { services: column(), heard: column(), states: HOST_STATE_OF.map(column) };
  /** Service that was counted last, plus 1, and the states it was counted with, as bits. */
  const last = column();
  const counted = column();
  for (let service = 0; service < services.records.high; service++) {
    if (services.records.used[service] !== 1) continue;
    for (const host of services.hostsOf[service]!) {
      const address = hosts.address[host]!;
      all.heard[address] = Math.max(all.heard[address]!, hosts.heard[host]!);
      if (hosts.callers[host] === 0) continue;
      if (last[address] !== service + 1) {
        last[address] = service + 1;
        counted[address] = 0;
        all.services[address]!++;
      }
      const bit = 1 << hosts.state[host]!;
      if ((counted[address]! & bit) === 0) all.states[hosts.state[host]!]![address]!++;
      counted[address]! |= bit;
    }
  }
  return all;
}

/** States that are trouble, worst first. */
const TROUBLE = [OVERLOADED, DISPUTED, FAILING, NOTED] as const;

/** A page of all: those in trouble first, overloaded in most services before others; then by address. */
function pageOf(
  { hosts }: ViewState,
  all: Tallies,
  found: readonly number[],
  offset: number,
  limit: number,
): readonly number[] {
  const { addresses } = hosts;
  const ipOf = (address: number) => addresses.words[address * ADDRESS_WORDS]! >>> 0;
  const hasTrouble = (address: number) => TROUBLE.some((state) => all.states[state]![address]! > 0);
  const compare = (a: number, b: number) => {
    for (const state of TROUBLE) {
      const more = all.states[state]![b]! - all.states[state]![a]!;
      if (more !== 0) return more;
    }
    return ipOf(a) - ipOf(b);
  };
  const page = found.filter(hasTrouble).sort(compare).slice(offset);
  if (page.length >= limit) return page.slice(0, limit);
  const rest = found.filter((address) => !hasTrouble(address));
  const skipped = Math.max(0, offset - (found.length - rest.length));
  const ips = Uint32Array.from(rest, ipOf).sort();
  for (const ip of ips.subarray(skipped, skipped + limit - page.length)) page.push(addresses.find(ip | 0));
  return page;
}

function addressAnswer({ clock, hosts }: ViewState, all: Tallies, address: number): HostAddress {
  const services = all.services[address]!;
  const [overloaded, disputed, failing, noted] = TROUBLE.map((state) => all.states[state]![address]!);
  return {
    ip: formatIpv4(hosts.addresses.words[address * ADDRESS_WORDS]!),
    services,
    overloaded: overloaded!,
    disputed: disputed!,
    failing: failing!,
    noted: noted!,
    suspect: overloaded! >= SUSPECT_SERVICES && overloaded! * 2 >= services,
    lastHeard: clock.isoOrNull(all.heard[address]!),
  };
}
