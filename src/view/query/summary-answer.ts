import { MINUTES } from '../minutes.js';
import { FRESHNESS_OF, SERVICE_MINUTE } from '../services.js';
import { LEVELS, type SparkMinute, type Summary } from '../shapes.js';
import type { Standing } from '../standing.js';
import type { ViewState } from '../state.js';
import type { NameOf } from '../view-settings.js';
import { callsOf, roundShare } from './rounding.js';

/** Made once of each standing and its names, however many ask for it. */
const made = new WeakMap<Standing, { readonly summary: Summary; readonly nameOf: NameOf }>();

/** A service as lists show it. */
export function summaryOf(state: ViewState, standing: Standing): Summary {
  const { nameOf } = state;
  let known = made.get(standing);
  if (!known || known.nameOf !== nameOf) {
    known = { summary: makeSummary(state, standing), nameOf };
    made.set(standing, known);
  }
  const { summary } = known;
  const { service } = standing;
  if (!isStill(state, standing)) return summary;
  return { ...summary, lastHeard: state.clock.isoOrNull(state.services.heard[service]!) };
}

/** Whether the number of the service still is its own: it may have been forgotten since. */
function isStill({ services }: ViewState, { service, modid, cmdid }: Standing): boolean {
  return services.find(modid, cmdid) === service;
}

function makeSummary(state: ViewState, standing: Standing): Summary {
  const { clock, settings, nameOf } = state;
  const { modid, cmdid } = standing;
  return {
    modid,
    cmdid,
    name: nameOf(modid, cmdid),
    level: LEVELS[standing.level]!,
    trouble: standing.trouble,
    state: FRESHNESS_OF[standing.state] ?? 'table',
    flapping: standing.flapping,
    since: clock.isoOrNull(standing.since),
    reasons: standing.reasons,
    hosts: {
      total: standing.hosts,
      overloaded: standing.overloaded,
      disputed: standing.disputed,
      failing: standing.failing,
      noted: standing.noted,
      withdrawn: standing.withdrawn,
      stale: standing.stale,
    },
    callers: {
      fresh: standing.fresh,
      affected: standing.affected,
      blackedOut: standing.blackedOut,
      silent: standing.silent,
    },
    calls: callsOf(standing, settings.minCalls, standing.sampled),
    lastHeard: null,
    spark: sparkOf(state, standing),
  };
}

/** The last 30 complete minutes, oldest first. */
function sparkOf(state: ViewState, standing: Standing): SparkMinute[] {
  const { minutes } = state.services;
  const { service, minute: newest } = standing;
  const spark: SparkMinute[] = [];
  const isKnown = isStill(state, standing);
  for (let minute = newest - MINUTES + 1; minute <= newest; minute++) {
    const level = isKnown ? minutes.value(minute, SERVICE_MINUTE.level, service) : Number.NaN;
    const calls = minutes.value(minute, SERVICE_MINUTE.calls, service);
    const errors = minutes.value(minute, SERVICE_MINUTE.errors, service);
    const hasShare = !Number.isNaN(level) && calls >= state.settings.minCalls;
    spark.push([Number.isNaN(level) ? null : level, hasShare ? roundShare(errors / calls) : null]);
  }
  return spark;
}
