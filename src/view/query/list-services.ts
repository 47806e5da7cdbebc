import { FRESHNESS_OF } from '../services.js';
import { FRESHNESS, LEVELS, type Level, type ServicesAnswer } from '../shapes.js';
import { NO_SERVICES, type Snapshot } from '../snapshot.js';
import type { Standing } from '../standing.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';
import { addressMatcher } from './address-prefix.js';
import { headOf } from './head.js';
import { Parameters, Unanswerable } from './parameters.js';
import { summaryOf } from './summary-answer.js';

export const SERVICES_PARAMETERS = [
  'q',
  'level',
  'min',
  'state',
  'modid',
  'sort',
  'limit',
  'offset',
  'snapshot',
] as const;
const SORTS = ['trouble', 'calls', 'errors', 'name', 'since'] as const;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** GET /api/services. Throws `Unanswerable`. */
export function listServices(view: View, query: URLSearchParams): ServicesAnswer {
  const asked = new Parameters(query, SERVICES_PARAMETERS);
  const { state } = view;
  const snapshot = snapshotOf(view, asked);
  const levels = asked.words('level', LEVELS);
  const min = asked.integer('min', 0, LEVELS.length - 1) ?? 0;
  const limit = asked.limit(DEFAULT_LIMIT, MAX_LIMIT);
  const offset = asked.offset();
  const order = orderOf(state, asked);
  const candidates = filtered(state, snapshot, asked);
  const isAsked = ({ level }: Standing) => level >= min && (!levels || levels.includes(LEVELS[level]!));
  const found = levels || min > 0 ? candidates.filter(isAsked) : candidates;
  const sorted = order ? [...found].sort(order) : found;
  return {
    ...headOf(view, snapshot),
    total: found.length,
    counts: countLevels(candidates),
    snapshot: String(snapshot.tick),
    services: sorted.slice(offset, offset + limit).map((standing) => summaryOf(state, standing)),
  };
}

function snapshotOf({ snapshots }: View, asked: Parameters): Snapshot {
  const tick = asked.integer('snapshot', 0, Number.MAX_SAFE_INTEGER);
  if (tick === undefined) return snapshots.current;
  const snapshot = snapshots.of(tick);
  if (snapshot) return snapshot;
  throw new Unanswerable(410, `snapshot ${tick} is not kept any more; begin with the first page again`);
}

/** What `q`, `state` and `modid` leave, worst first. */
function filtered(state: ViewState, { standings }: Snapshot, asked: Parameters): readonly Standing[] {
  const states = asked.words('state', FRESHNESS);
  const modid = asked.int32('modid');
  const q = asked.text('q');
  const matches = q === undefined || q === '' ? undefined : matcherOf(state, q);
  return standings.filter(
    (standing) =>
      (states ? states.includes(FRESHNESS_OF[standing.state]!) : !standing.hidden) &&
      (modid === undefined || standing.modid === modid) &&
      (!matches || matches(standing)),
  );
}

/** By number (`4242`, `4242/1`), by a part of the name, or by the beginning of a host's address. */
function matcherOf(state: ViewState, q: string): (standing: Standing) => boolean {
  const { services, nameOf } = state;
  const wanted = q.toLowerCase();
  const byHost = servicesOfHosts(state, q);
  // What no number begins with needs no numbers written out.
  const isNumber = /^-?\d*(\/-?\d*)?$/.test(q);
  return ({ service, modid, cmdid }) =>
    (isNumber && `${modid}/${cmdid}`.startsWith(q)) ||
    (nameOf(modid, cmdid)?.toLowerCase().includes(wanted) ?? false) ||
    (byHost?.[service] === 1 && services.find(modid, cmdid) === service);
}

/** 1 for each service with a host whose address begins so; undefined when there is none. */
function servicesOfHosts({ hosts, services }: ViewState, prefix: string): Uint8Array | undefined {
  const matches = addressMatcher(prefix);
  if (!matches) return undefined;
  const found = new Uint8Array(services.records.high);
  const { used, high } = hosts.records;
  for (let host = 0; host < high; host++)
    if (used[host] === 1 && matches(hosts.ip(host), hosts.port(host))) found[hosts.service[host]!] = 1;
  return found;
}

type Order = (a: Standing, b: Standing) => number;

/** Undefined: as snapshots are ordered. */
function orderOf(state: ViewState, asked: Parameters): Order | undefined {
  const text = asked.text('sort');
  if (text === undefined) return undefined;
  const isReversed = text.startsWith('-');
  const sort = SORTS.find((one) => one === (isReversed ? text.slice(1) : text));
  if (!sort)
    throw new Unanswerable(400, `sort is to be one of ${SORTS.join(', ')}, with - in front to turn it round`);
  if (sort === 'trouble' && !isReversed) return undefined;
  const order = ORDERS[sort](state);
  return isReversed ? (a, b) => order(b, a) : order;
}

/** Largest, or worst, first; names and beginnings in rising order. */
const ORDERS: Readonly<Record<(typeof SORTS)[number], (state: ViewState) => Order>> = {
  trouble: () => (a, b) => b.trouble - a.trouble,
  calls: () => (a, b) => b.calls60 - a.calls60,
  errors: () => (a, b) => b.errors60 - a.errors60,
  name:
    ({ nameOf }) =>
    (a, b) =>
      compareNames(nameOf(a.modid, a.cmdid), nameOf(b.modid, b.cmdid)) ||
      a.modid - b.modid ||
      a.cmdid - b.cmdid,
  since: () => (a, b) => (a.since || Number.POSITIVE_INFINITY) - (b.since || Number.POSITIVE_INFINITY) || 0,
};

/** Services without a name come last. */
function compareNames(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}

function countLevels(standings: readonly Standing[]): Readonly<Record<Level, number>> {
  const counts = { ...NO_SERVICES };
  for (const { level } of standings) counts[LEVELS[level]!]++;
  return counts;
}
