import { formatIpv4 } from '../../src/model/ipv4.js';
import { type Row, RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { type Condition, World } from '../../src/simulation/index.js';
import { rowsOf } from '../../src/testing/rows.js';
import { showService } from '../../src/view/query/show-service.js';
import { LEVELS, type ServiceAnswer } from '../../src/view/shapes.js';
import { View } from '../../src/view/view.js';

export interface SimulatedOptions {
  readonly callsPerSecond: number;
  readonly agents?: number;
  readonly hosts?: number;
  /** Of calls where nothing is wrong. */
  readonly errorShare?: number;
  /** Times on the clock on which 0 is after the warm-up. */
  readonly conditions?: readonly Condition[];
  /** After the warm-up. */
  readonly seconds: number;
  readonly seed?: number;
}

/** What the view says of the only service at a tick. */
export interface Moment {
  /** Since the end of the warm-up. */
  readonly second: number;
  readonly level: number;
  /** Of the host that conditions name 0: share of callers held, and with the flag in the newest report. */
  readonly agree: number;
  readonly raw: number;
  readonly answer: ServiceAnswer;
}

/** Agents know all hosts by then, at 0.2 calls a second too, and five minutes of calls are counted. */
const WARM_UP_S = 400;

/** A view that real agents report to, by the model of them. One service. */
export function simulate(options: SimulatedOptions): { moments: Moment[]; view: View; world: World } {
  const { agents = 20, hosts = 10, callsPerSecond, errorShare = 0, seed = 1, seconds } = options;
  const conditions = (options.conditions ?? []).map(shifted);
  const world = new World({ agents, hosts, callsPerSecond, errorShare, conditions, seed });
  const startS = world.startMs / 1000;
  const view = new View({ startS });
  const numbers = Array.from({ length: agents }, (_, agent) =>
    view.peer(formatIpv4(world.addresses.caller(agent))),
  );
  const { ip, port } = world.addresses.host(0, 0);
  const address = formatIpv4(ip);
  const moments: Moment[] = [];
  for (let second = 1; second <= WARM_UP_S + seconds; second++) {
    view.tick(startS + second - 1);
    for (const { agent, report } of world.reportsUntil(second * 1000 - 1))
      view.live(packed(rowsOf(report)), [0, numbers[agent]!], startS + second - 1);
    view.tick(startS + second);
    if (second <= WARM_UP_S) continue;
    const answer = showService(
      view,
      world.addresses.modid(0),
      world.addresses.cmdid(0),
      new URLSearchParams(),
    );
    const host = answer.hosts.find((one) => one.ip === address && one.port === port);
    moments.push({
      second: second - WARM_UP_S,
      level: LEVELS.indexOf(answer.summary.level),
      agree: host?.agree ?? 0,
      raw: host && host.callers > 0 ? host.flaggedNow / host.callers : 0,
      answer,
    });
  }
  return { moments, view, world };
}

function shifted(condition: Condition): Condition {
  if (condition.kind === 'shared-caller') return condition;
  const { fromMs, toMs } = condition;
  return {
    ...condition,
    ...(fromMs === undefined ? {} : { fromMs: fromMs + WARM_UP_S * 1000 }),
    ...(toMs === undefined ? {} : { toMs: toMs + WARM_UP_S * 1000 }),
  };
}

function packed(rows: readonly Row[]): Int32Array {
  const { words } = RowBatch.from(rows);
  for (let at = 0; at < words.length; at += WORDS_PER_ROW) words[at + TAG]! |= 1 << 1;
  return words;
}

/** The second from which on a level is reached first; undefined: never. */
export function reached(moments: readonly Moment[], level: number): number | undefined {
  return moments.find((moment) => moment.level >= level)?.second;
}

/** Least, middle and largest of some numbers. */
export function spread(numbers: readonly number[]): [min: number, median: number, max: number] {
  const rising = [...numbers].sort((a, b) => a - b);
  return [rising[0]!, rising[rising.length >> 1]!, rising[rising.length - 1]!];
}
