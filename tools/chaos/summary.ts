import type { Totals } from './watch.js';

/** What a run came to. */
export interface Summary {
  readonly seed: number;
  readonly seconds: number;
  readonly waves: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly endings: ReadonlyMap<string, number>;
  /** Processes of the reporter. */
  readonly incarnations: number;
  readonly connections: number;
  readonly rowsSent: number;
  readonly totals: Totals;
  /** Samples in which a writer held as many keys as it may. */
  readonly full: number;
  readonly ledgers: number;
  readonly violations: number;
}

/** In lines for people. */
export function summaryText(summary: Summary): string {
  const { totals } = summary;
  const counted = (counts: ReadonlyMap<string, number>) =>
    [...counts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `  ${whole(count).padStart(6)}  ${name}`);
  return [
    `seed ${summary.seed}: ${summary.waves} waves in ${summary.seconds.toFixed(0)} s`,
    'faults',
    ...counted(summary.faults),
    'ends of waves',
    ...counted(summary.endings),
    `reporter processes ${whole(summary.incarnations)}, connections of agents ${whole(summary.connections)}`,
    `rows sent ${whole(summary.rowsSent)}; received, with those of hostile peers, ${whole(totals.received)}, recovered ${whole(totals.recovered)}, ` +
      `stored ${whole(totals.upserted)}, coalesced ${whole(totals.coalesced)}, dead letters ${whole(totals.deadLettered)}`,
    `ledgers looked at ${whole(summary.ledgers)}, writers found full ${whole(summary.full)} times`,
    `violations ${summary.violations}`,
  ].join('\n');
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}
