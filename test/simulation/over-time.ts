import type { HostResult } from '../../src/model/report.js';
import { type AgentRules, World } from '../../src/simulation/index.js';

/** How one agent's reports on a sick host look over time, from when it became sick. */
export interface OverTime {
  /** Seconds until the flag was reported first; undefined: never. */
  readonly firstFlagS: number | undefined;
  /** Shares of time in which the newest report … has the flag, */
  readonly flagOn: number;
  /** … says 0/0, */
  readonly empty: number;
  /** … has at least 5 calls of which at least half failed. */
  readonly visible: number;
  /** How often an hour the flag comes on. */
  readonly flipsPerHour: number;
  /** Seconds between two stretches of the flag, rising. */
  readonly gapsS: readonly number[];
}

export interface OverTimeOptions {
  readonly rules: AgentRules;
  readonly hosts: number;
  /** Of the agent, over all hosts. */
  readonly callsPerSecond: number;
  /** Share of the calls to the sick host that fail. */
  readonly share: number;
  readonly hours: number;
  readonly seed?: number;
}

/** Time for the agent to know all hosts before one of them is sick. */
const WARM_UP_MS = 600_000;

export function overTime({ share, hours, seed = 1, ...options }: OverTimeOptions): OverTime {
  const sick = { kind: 'sick-host', hosts: [0], share, fromMs: WARM_UP_MS } as const;
  const world = new World({ ...options, agents: 1, seed, conditions: [sick] });
  const { ip } = world.addresses.host(0, 0);
  const totals = { flagOn: 0, empty: 0, visible: 0 };
  const gapsS: number[] = [];
  let [flips, lastMs] = [0, WARM_UP_MS];
  let [firstMs, offMs]: (number | undefined)[] = [];
  let last: HostResult | undefined;
  for (const { atMs, report } of world.reportsUntil(WARM_UP_MS + hours * 3_600_000)) {
    const result = report.results.find((each) => each.ip === ip)!;
    if (last && atMs > WARM_UP_MS) {
      const calls = last.succ + last.err;
      const ms = atMs - lastMs;
      lastMs = atMs;
      if (last.overload) totals.flagOn += ms;
      if (calls === 0) totals.empty += ms;
      if (calls >= 5 && last.err / calls >= 0.5) totals.visible += ms;
      if (result.overload && !last.overload) {
        flips++;
        firstMs ??= atMs - WARM_UP_MS;
        if (offMs !== undefined) gapsS.push((atMs - offMs) / 1000);
      } else if (last.overload && !result.overload) offMs = atMs;
    }
    last = result;
  }
  const ms = lastMs - WARM_UP_MS;
  return {
    firstFlagS: firstMs === undefined ? undefined : firstMs / 1000,
    flagOn: totals.flagOn / ms,
    empty: totals.empty / ms,
    visible: totals.visible / ms,
    flipsPerHour: flips / hours,
    gapsS: gapsS.sort((a, b) => a - b),
  };
}

/** The value that `share` of a rising list does not exceed. */
export function quantile(rising: readonly number[], share: number): number {
  return rising[Math.min(rising.length - 1, Math.floor(share * rising.length))] ?? Number.NaN;
}
