import type { HostResult, Report } from '../../src/model/report.js';

/** What can be counted in any stream of reports, captured or simulated. */
export interface StreamStatistics {
  reports: number;
  /** Results of a key that was reported before, by the same caller. */
  updates: number;
  /** Those among them that say the same as the report before: counters and flag. */
  unchanged: number;
  /** Flag 0 → 1, or a first result with 1. */
  transitions: number;
  /** Transitions that arrive with both counters 0. */
  emptyTransitions: number;
  /** Flag 1 → 0. */
  recoveries: number;
  /** Updates with the flag as before and a counter lower than before … */
  decreases: number;
  /** … that do not say 0/0: what no wipe explains. */
  partialDecreases: number;
  /** Updates that add more than one call. */
  leaps: number;
  /** Reports in which more than one host changed. */
  reportsWithManyChanges: number;
  /** Reports that miss a host of the report before on the same service. */
  reportsWithoutAllHosts: number;
  /** Reports in which an overloaded host stands before an idle one. */
  disorderedReports: number;
  /** What the first report on each service says of each host. */
  firstResults: string[];
}

export function statisticsOf(reports: Iterable<Report>): StreamStatistics {
  const statistics: StreamStatistics = {
    reports: 0,
    updates: 0,
    unchanged: 0,
    transitions: 0,
    emptyTransitions: 0,
    recoveries: 0,
    decreases: 0,
    partialDecreases: 0,
    leaps: 0,
    reportsWithManyChanges: 0,
    reportsWithoutAllHosts: 0,
    disorderedReports: 0,
    firstResults: [],
  };
  const services = new Map<string, Map<string, HostResult>>();
  for (const report of reports) {
    const name = [report.modid, report.cmdid, report.caller].join();
    const last = services.get(name);
    const now = new Map(report.results.map((result) => [`${result.ip}:${result.port}`, result]));
    services.set(name, now);
    countReport(statistics, report, last, now);
  }
  return statistics;
}

function countReport(
  statistics: StreamStatistics,
  { results }: Report,
  last: ReadonlyMap<string, HostResult> | undefined,
  now: ReadonlyMap<string, HostResult>,
): void {
  statistics.reports++;
  if (last && [...last.keys()].some((key) => !now.has(key))) statistics.reportsWithoutAllHosts++;
  const flags = results.map(({ overload }) => overload);
  if (flags.lastIndexOf(false) > flags.indexOf(true) && flags.includes(true)) statistics.disorderedReports++;
  let changes = 0;
  for (const [key, result] of now) {
    const before = last?.get(key);
    if (result.overload && before?.overload !== true) {
      statistics.transitions++;
      if (result.succ + result.err === 0) statistics.emptyTransitions++;
    }
    if (!before) {
      if (!last) statistics.firstResults.push(`${result.succ}/${result.err}`);
      continue;
    }
    statistics.updates++;
    const [succ, err] = [result.succ - before.succ, result.err - before.err];
    if (succ === 0 && err === 0 && result.overload === before.overload) statistics.unchanged++;
    else changes++;
    if (!result.overload && before.overload) statistics.recoveries++;
    if (result.overload !== before.overload) continue;
    if (succ < 0 || err < 0) {
      statistics.decreases++;
      if (result.succ + result.err > 0) statistics.partialDecreases++;
    } else if (succ + err > 1) statistics.leaps++;
  }
  if (changes > 1) statistics.reportsWithManyChanges++;
}
