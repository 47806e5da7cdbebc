import test from 'ava';
import { type AgentRules, ELB, LARS, World } from '../../src/simulation/index.js';
import { overTime, quantile } from './over-time.js';

interface Expected {
  readonly title: string;
  readonly rules: AgentRules;
  readonly callsPerSecond: number;
  readonly share?: number;
  readonly hours: number;
  /** From … to, in seconds. */
  readonly firstFlagS?: readonly [number, number];
  /** Shares, ±0.03. */
  readonly flagOn: number;
  readonly empty: number;
  readonly visible: number;
  /** ±10 %, at least 2. */
  readonly flipsPerHour: number;
  /** Of the gaps in seconds: median and what 95 % do not exceed, each ±15 %. */
  readonly gapsS?: readonly [number, number];
}

const dead = (callsPerSecond: number) => ({ rules: LARS, callsPerSecond, hours: 10 });

/** How it looks over time, with ten hosts: measured with the rules of the original. */
const TABLE: readonly Expected[] = [
  {
    title: 'a dead host, 0.2 calls a second',
    ...dead(0.2),
    ...{ firstFlagS: [5, 100], flagOn: 0.52, empty: 1, visible: 0, flipsPerHour: 36, gapsS: [48, 83] },
  },
  {
    title: 'a dead host, 1 call a second',
    ...dead(1),
    ...{ firstFlagS: [10, 35], flagOn: 0.51, empty: 0.5, visible: 0, flipsPerHour: 88, gapsS: [20, 26] },
  },
  {
    title: 'a dead host, 10 calls a second',
    ...dead(10),
    ...{ firstFlagS: [12, 20], flagOn: 0.51, empty: 0.07, visible: 0.65, flipsPerHour: 122, gapsS: [15, 16] },
  },
  {
    title: 'a dead host, 100 calls a second',
    ...dead(100),
    hours: 2,
    ...{
      firstFlagS: [1, 2.5],
      flagOn: 0.91,
      empty: 0.01,
      visible: 0.94,
      flipsPerHour: 226,
      gapsS: [1.5, 1.7],
    },
  },
  {
    title: 'a host that fails half of its calls, 10 calls a second',
    ...{ rules: LARS, callsPerSecond: 10, share: 0.5, hours: 40 },
    ...{ flagOn: 0.06, empty: 0.07, visible: 0.37, flipsPerHour: 14 },
  },
  {
    title: 'a host that fails a fifth of its calls, 10 calls a second',
    ...{ rules: LARS, callsPerSecond: 10, share: 0.2, hours: 10 },
    ...{ flagOn: 0, empty: 0.07, visible: 0.02, flipsPerHour: 0 },
  },
  {
    title: 'a dead host of ELB, 1 call a second',
    ...{ rules: ELB, callsPerSecond: 1, hours: 40 },
    ...{ firstFlagS: [20, 80], flagOn: 0.83, empty: 0.14, visible: 0.59, flipsPerHour: 16 },
  },
  {
    title: 'a dead host of ELB, 100 calls a second',
    ...{ rules: ELB, callsPerSecond: 100, hours: 2 },
    ...{ firstFlagS: [1, 18], flagOn: 0.99, empty: 0, visible: 0.99, flipsPerHour: 2 },
  },
];

for (const { title, rules, callsPerSecond, share = 1, hours, ...expected } of TABLE) {
  test(`over time, as measured: ${title}`, (t) => {
    const seen = overTime({ rules, hosts: 10, callsPerSecond, share, hours });
    const text = JSON.stringify({ ...seen, gapsS: [quantile(seen.gapsS, 0.5), quantile(seen.gapsS, 0.95)] });
    for (const name of ['flagOn', 'empty', 'visible'] as const) {
      t.true(Math.abs(seen[name] - expected[name]) <= 0.03, `${name}: ${text}`);
    }
    const flips = Math.abs(seen.flipsPerHour - expected.flipsPerHour);
    t.true(flips <= Math.max(2, 0.1 * expected.flipsPerHour), text);
    if (expected.flipsPerHour === 0) t.is(seen.firstFlagS, undefined);
    if (expected.firstFlagS) {
      const [from, to] = expected.firstFlagS;
      t.true(seen.firstFlagS! >= from && seen.firstFlagS! <= to, text);
    }
    for (const [index, gapS] of (expected.gapsS ?? []).entries()) {
      const gap = quantile(seen.gapsS, index === 0 ? 0.5 : 0.95);
      t.true(Math.abs(gap - gapS) <= 0.15 * gapS, text);
    }
  });
}

test('gaps in the flag of a dead host are shorter than 60 s, from 0.1 calls a second and host up; with ELB, nearly all', (t) => {
  for (const callsPerSecond of [1, 10]) {
    const lars = overTime({ rules: LARS, hosts: 10, callsPerSecond, share: 1, hours: 10 });
    t.true(lars.gapsS.at(-1)! < 60, `${lars.gapsS.at(-1)} s`);
    const elb = overTime({ rules: ELB, hosts: 10, callsPerSecond, share: 1, hours: 20 });
    t.true(quantile(elb.gapsS, 0.95) < 60, `${quantile(elb.gapsS, 0.95)} s`);
  }
});

for (const [perHost, share] of [
  [0.1, 0.49],
  [0.05, 0.82],
  [0.02, 0.98],
] as const) {
  test(`at ${perHost} calls a second and host, ${100 * share} % of what is reported of well hosts reads 0/0`, (t) => {
    const world = new World({ agents: 1, hosts: 10, callsPerSecond: 10 * perHost });
    let [results, empty] = [0, 0];
    for (const { report } of world.reportsUntil(36_000_000)) {
      results += report.results.length;
      empty += report.results.filter(({ succ, err }) => succ + err === 0).length;
    }
    t.true(Math.abs(empty / results - share) < 0.03, `${empty / results}`);
  });
}

/** Of 20 callers: how many have the flag of a dead host on, and how many had it within the last minute. */
function agreement(callsPerSecond: number): { raw: number[]; held: number[] } {
  const conditions = [{ kind: 'sick-host', hosts: [0], fromMs: 60_000 } as const];
  const world = new World({ agents: 20, hosts: 10, callsPerSecond, conditions });
  const { ip } = world.addresses.host(0, 0);
  const flags = new Array<boolean>(20).fill(false);
  const lastOnMs = new Array<number>(20).fill(Number.NEGATIVE_INFINITY);
  const [raw, held]: [number[], number[]] = [[], []];
  for (let nowMs = 1000; nowMs <= 1_800_000; nowMs += 1000) {
    for (const { atMs, agent, report } of world.reportsUntil(nowMs)) {
      flags[agent] = report.results.find((each) => each.ip === ip)!.overload;
      if (flags[agent]) lastOnMs[agent] = atMs;
    }
    if (nowMs < 180_000) continue;
    raw.push(flags.filter(Boolean).length);
    held.push(lastOnMs.filter((atMs, agent) => flags[agent] || nowMs - atMs <= 60_000).length);
  }
  const rising = (list: number[]) => list.sort((a, b) => a - b);
  return { raw: rising(raw), held: rising(held) };
}

for (const [callsPerSecond, [least, middle, most]] of [
  [1, [5, 10, 16]],
  [10, [2, 11, 19]],
] as const) {
  test(`of 20 callers at ${callsPerSecond} calls a second, the raw flags of a dead host disagree; held for a minute, none does`, (t) => {
    const { raw, held } = agreement(callsPerSecond);
    t.true(Math.abs(raw[0]! - least) <= 3, `${raw[0]}`);
    t.true(Math.abs(quantile(raw, 0.5) - middle) <= 1.5, `${quantile(raw, 0.5)}`);
    t.true(Math.abs(raw.at(-1)! - most) <= 3, `${raw.at(-1)}`);
    t.is(held[0], 20);
  });
}
