import { LEVELS, type LevelCounts } from './shapes.js';
import type { Standing } from './standing.js';
import type { ViewState } from './state.js';

/** How long further pages of a snapshot can be had, in seconds. */
const KEPT_S = 30;

/** How all services stood at one tick. Never changed. */
export interface Snapshot {
  /** Number of the tick. */
  readonly tick: number;
  /** Second of the view. */
  readonly second: number;
  /** Worst first. */
  readonly standings: readonly Standing[];
  /** Of those that lists show. */
  readonly counts: LevelCounts;
}

export const NO_SERVICES: LevelCounts = { ok: 0, noted: 0, failing: 0, overloaded: 0, outage: 0 };

/** trouble, callers that avoid a host, calls; then by number. */
function compareStandings(a: Standing, b: Standing): number {
  return (
    b.trouble - a.trouble ||
    b.affected - a.affected ||
    b.calls60 - a.calls60 ||
    a.modid - b.modid ||
    a.cmdid - b.cmdid
  );
}

/** The snapshots of the last ticks. */
export class Snapshots {
  #recent: Snapshot[] = [];
  #current: Snapshot;

  /** `tick`: number of the last snapshot before. */
  constructor(second: number, tick = 0) {
    this.#current = { tick, second, standings: [], counts: NO_SERVICES };
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** The snapshot of a tick; undefined when it is too old, or not there yet. */
  of(tick: number): Snapshot | undefined {
    if (tick === this.#current.tick) return this.#current;
    return this.#recent.find((snapshot) => snapshot.tick === tick);
  }

  /** Takes the next snapshot. `hasChanged`: some service stands otherwise, has come or gone. */
  take({ services, now }: ViewState, hasChanged: boolean): Snapshot {
    const last = this.#current;
    this.#recent.push(last);
    while (this.#recent.length > 0 && now - this.#recent[0]!.second > KEPT_S) this.#recent.shift();
    const tick = last.tick + 1;
    if (!hasChanged) {
      this.#current = { ...last, tick, second: now };
      return this.#current;
    }
    const standings: Standing[] = [];
    const counts = { ...NO_SERVICES };
    for (const standing of services.standings) {
      if (!standing) continue;
      standings.push(standing);
      if (!standing.hidden) counts[LEVELS[standing.level]!]++;
    }
    standings.sort(compareStandings);
    this.#current = { tick, second: now, standings, counts };
    return this.#current;
  }
}
