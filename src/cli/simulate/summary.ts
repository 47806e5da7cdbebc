import type { Address } from '../../model/status.js';
import type { CallTotals } from '../../simulation/index.js';
import type { Fleet } from './fleet.js';
import type { Verdict } from './verify.js';

/** What a simulation did: with `--json`, printed as it is. */
export interface Summary {
  readonly to: Address;
  readonly agents: number;
  readonly services: number;
  readonly hosts: number;
  readonly seed: number;
  /** Reports a second that were asked for; 0 = as many as the reporter took. */
  readonly rate: number;
  /** From the first report until the reporter had read the last one. */
  readonly seconds: number;
  /** Connections made, those of reconnects included. */
  readonly connections: number;
  readonly reconnects: number;
  /** Connections that broke or were ended by the reporter. */
  readonly lost: number;
  /** Reports handed to a connection; what was under way when one ended may not have arrived. */
  readonly reports: number;
  readonly rows: number;
  readonly bytes: number;
  /** Keys that were reported at least once. */
  readonly distinctKeys: number;
  readonly reportsPerSecond: number;
  readonly rowsPerSecond: number;
  /** With `--behaviour agent`: what the applications did. */
  readonly calls?: CallTotals;
}

/** A verdict, and on what. */
export interface Verification extends Verdict {
  readonly store: string;
  /** How long it took, waiting included. */
  readonly seconds: number;
}

export function summaryOf({ options, traffic, totals, seconds: exactSeconds }: Fleet): Summary {
  const { agents, services, hosts, seed } = traffic.shape;
  const seconds = Math.round(exactSeconds * 1000) / 1000;
  const perSecond = (count: number): number => (seconds > 0 ? Math.round(count / seconds) : 0);
  return {
    to: options.to,
    agents,
    services,
    hosts,
    seed,
    rate: options.rate,
    seconds,
    ...totals,
    distinctKeys: traffic.distinctKeys,
    reportsPerSecond: perSecond(totals.reports),
    rowsPerSecond: perSecond(totals.rows),
    ...(traffic.calls ? { calls: traffic.calls } : {}),
  };
}

/** For people. */
export function summaryText(summary: Summary): string {
  const { to, reports, rows, bytes, seconds, agents, connections, reconnects, lost, calls } = summary;
  return [
    `sent ${reports} reports, ${rows} rows, ${bytes} bytes to ${to.host}:${to.port} in ${seconds} s`,
    `${summary.reportsPerSecond} reports/s, ${summary.rowsPerSecond} rows/s, ${summary.distinctKeys} distinct keys`,
    `${agents} agents, ${connections} connections, ${reconnects} reconnects, ${lost} lost`,
    ...(calls ? [`${calls.made} calls, ${calls.failed} failed, ${calls.refused} refused`] : []),
  ].join('\n');
}

/** For people. */
export function verificationText(verification: Verification): string {
  const { equal, matching, missing, stale, wrong, differences, store, seconds } = verification;
  const counts = `${matching} matching, ${missing} missing, ${stale} stale, ${wrong} wrong`;
  return [
    `${equal ? 'verified' : 'different'}: ${counts} in ${store}, after ${seconds} s`,
    ...differences.map((difference) => `  ${difference}`),
  ].join('\n');
}
