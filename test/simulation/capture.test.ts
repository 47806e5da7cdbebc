import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import type { Report } from '../../src/model/report.js';
import { Balancer, LARS, World, type WorldOptions } from '../../src/simulation/index.js';
import { reportsIn } from '../support/reports.js';
import { type StreamStatistics, statisticsOf } from './statistics.js';

/** What a real agent sent, of five services. */
const captured = reportsIn(readFileSync(new URL('../../../test/fixtures/agent.bin', import.meta.url)));

function byService(reports: readonly Report[]): Report[][] {
  const services = new Map<string, Report[]>();
  for (const report of reports) {
    const name = `${report.modid}/${report.cmdid}`;
    services.set(name, [...(services.get(name) ?? []), report]);
  }
  return [...services.values()];
}

/**
 * Lets the model call as the agent did, and returns how many reports it explains: of each, whether the call failed is
 * taken from what was reported; which host it went to, and all the rest, is the model's.
 */
function explained(reports: readonly Report[]): number {
  const first = reports[0]!;
  // The host that the first call went to stands behind the others.
  const route = [first.results.at(-1)!, ...first.results.slice(0, -1)];
  const replay = (outcomes: readonly boolean[], count: number): Report | undefined => {
    const balancer = new Balancer(LARS);
    balancer.setRoute(route, first.ts);
    for (let call = 0; call < count; call++) {
      let host = balancer.choose();
      // What is refused is not reported.
      for (let refused = 0; !host && refused < 10; refused++) host = balancer.choose();
      balancer.count(host!, outcomes[call]!, reports[call]!.ts);
    }
    const last = reports[count - 1]!;
    return balancer.report(last, last.caller, last.ts);
  };
  const outcomes: boolean[] = [];
  for (const [index, report] of reports.entries()) {
    const outcome = [true, false].find((ok) =>
      isDeepStrictEqual(replay([...outcomes, ok], index + 1), report),
    );
    if (outcome === undefined) return index;
    outcomes.push(outcome);
  }
  return outcomes.length;
}

test('the model says what a real agent said, report by report, hosts in the same order', (t) => {
  for (const reports of byService(captured)) {
    const { modid, cmdid } = reports[0]!;
    t.is(explained(reports), reports.length, `${modid}/${cmdid}`);
  }
});

/** As many reports as wanted, from the beginning of a world. */
function simulated(options: Omit<WorldOptions, 'agents' | 'callsPerSecond'>, count: number): Report[] {
  const reports: Report[] = [];
  for (const { report } of new World({ ...options, agents: 1, callsPerSecond: 60 }).reportsUntil(3_600_000)) {
    if (reports.push(report) === count) break;
  }
  return reports;
}

/** About what was captured: a service of four hosts, and two of one host, with as many reports. */
function alike(seed: number): Report[] {
  const errorShare = 0.4;
  return [
    ...simulated({ hosts: 1, errorShare, seed, modidBase: 1 }, 62),
    ...simulated({ hosts: 1, errorShare, seed: seed + 1, modidBase: 2 }, 63),
    ...simulated({ hosts: 4, errorShare, seed: seed + 2, modidBase: 3 }, 100),
  ];
}

const unchangedShare = ({ unchanged, updates }: StreamStatistics): number => unchanged / updates;

test('the capture has the statistics that the model is held against', (t) => {
  t.like(statisticsOf(captured), { reports: 227, updates: 519, unchanged: 298, transitions: 5 });
});

for (const [name, reports] of [
  ['a real agent', captured],
  ...[1, 2, 3].map((seed) => [`the model, seed ${seed},`, alike(seed)] as const),
] as const) {
  const statistics = statisticsOf(reports);

  test(`${name} wipes counters before it says overloaded, and never lowers them otherwise within seconds`, (t) => {
    t.true(statistics.transitions > 0);
    t.is(statistics.emptyTransitions, statistics.transitions);
    t.is(statistics.partialDecreases, 0);
  });

  test(`${name} begins with nothing counted, and then counts a call a report`, (t) => {
    t.true(statistics.firstResults.every((counters) => counters === '0/0'));
    t.is(statistics.leaps, 0);
    t.is(statistics.reportsWithManyChanges, 0);
  });

  test(`${name} reports every host, idle ones first, so that more than half of the updates change nothing`, (t) => {
    t.is(statistics.reportsWithoutAllHosts, 0);
    t.is(statistics.disorderedReports, 0);
    t.true(Math.abs(unchangedShare(statistics) - 298 / 519) < 0.02, `${unchangedShare(statistics)}`);
  });
}

test('over an hour, what the model counts goes down only where a window begins or the state changes', (t) => {
  const options = { agents: 3, hosts: 5, callsPerSecond: 5, errorShare: 0.01 };
  const sick = { kind: 'sick-host', hosts: [2], share: 0.6, fromMs: 600_000 } as const;
  const reports = Array.from(
    new World({ ...options, conditions: [sick] }).reportsUntil(3_600_000),
    ({ report }) => report,
  );
  const statistics = statisticsOf(reports);
  t.true(statistics.transitions > 50 && statistics.recoveries > 50);
  t.is(statistics.emptyTransitions, statistics.transitions);
  t.true(statistics.decreases > 1000);
  t.is(statistics.partialDecreases, 0);
  t.is(statistics.leaps, 0);
  t.is(statistics.reportsWithManyChanges, 0);
  t.is(statistics.reportsWithoutAllHosts, 0);
  t.is(statistics.disorderedReports, 0);
});
