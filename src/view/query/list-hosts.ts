import { formatIpv4 } from '../../model/ipv4.js';
import { DISPUTED, FAILING, NOTED, OVERLOADED } from '../hosts.js';
import type { HostAddress, HostAnswer, HostsAnswer } from '../shapes.js';
import type { Snapshot } from '../snapshot.js';
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
  /** Service that was counted last, and the states it was counted with, as bits. */
  service: number;
  states: number;
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
  const found = talliesOfTick(view).filter(
    ({ ip, overloaded }) => overloaded >= min && (q === '' || formatIpv4(ip).startsWith(q)),
  );
  return {
    ...headOf(view),
    total: found.length,
    hosts: pageOf(found, offset, limit).map((tally) => addressAnswer(state, tally)),
  };
}

/** GET /api/hosts/:ip. Throws `Unanswerable`. */
export function showHost(view: View, ip: number, query: URLSearchParams): HostAnswer {
  new Parameters(query, []);
  const { state } = view;
  view.settle();
  const found: number[] = [];
  for (const host of allHosts(state)) if (state.hosts.ip(host) === ip) found.push(host);
  const tally = tallies(state, found).get(ip);
  if (!tally) throw new Unanswerable(404, `no agent has reported host ${formatIpv4(ip)}`);
  return {
    ...headOf(view),
    host: addressAnswer(state, tally),
    hosts: found.sort(compareHosts(state)).map((host) => serviceHostAnswer(state, host)),
  };
}

/** Counted once a tick, however many ask. */
const counted = new WeakMap<Snapshot, readonly Tally[]>();

function talliesOfTick({ state, snapshots }: View): readonly Tally[] {
  let found = counted.get(snapshots.current);
  if (!found) {
    found = [...tallies(state, allHosts(state)).values()];
    counted.set(snapshots.current, found);
  }
  return found;
}

/** Service by service. */
function* allHosts({ services }: ViewState): Generator<number> {
  const { used, high } = services.records;
  for (let service = 0; service < high; service++) if (used[service] === 1) yield* services.hostsOf[service]!;
}

/** By address. `some`: hosts of one service stand together. */
function tallies({ hosts }: ViewState, some: Iterable<number>): Map<number, Tally> {
  const found = new Map<number, Tally>();
  for (const host of some) {
    const ip = hosts.ip(host);
    let tally = found.get(ip);
    if (!tally) {
      tally = newTally(ip);
      found.set(ip, tally);
    }
    tally.heard = Math.max(tally.heard, hosts.heard[host]!);
    if (hosts.callers[host] === 0) continue;
    if (tally.service !== hosts.service[host]) {
      tally.service = hosts.service[host]!;
      tally.states = 0;
      tally.services++;
    }
    const state = hosts.state[host]!;
    if ((tally.states & (1 << state)) === 0) count(tally, state);
    tally.states |= 1 << state;
  }
  return found;
}

function newTally(ip: number): Tally {
  const none = { services: 0, overloaded: 0, disputed: 0, failing: 0, noted: 0 };
  return { ip, ...none, heard: 0, service: -1, states: 0 };
}

function count(tally: Tally, state: number): void {
  if (state === OVERLOADED) tally.overloaded++;
  else if (state === DISPUTED) tally.disputed++;
  else if (state === FAILING) tally.failing++;
  else if (state === NOTED) tally.noted++;
}

/** A page of all: those in trouble first, then by address. Sorts no more than it needs. */
function pageOf(found: readonly Tally[], offset: number, limit: number): readonly Tally[] {
  const inTrouble = found.filter(hasTrouble).sort(compareTallies);
  if (inTrouble.length >= offset + limit) return inTrouble.slice(offset, offset + limit);
  const rest = new Map(found.filter((tally) => !hasTrouble(tally)).map((tally) => [tally.ip >>> 0, tally]));
  const sorted = Uint32Array.from(rest.keys()).sort();
  const skipped = Math.max(0, offset - inTrouble.length);
  const page = inTrouble.slice(offset, offset + limit);
  for (const ip of sorted.subarray(skipped, skipped + limit - page.length)) page.push(rest.get(ip)!);
  return page;
}

function hasTrouble({ overloaded, disputed, failing, noted }: Tally): boolean {
  return overloaded + disputed + failing + noted > 0;
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
