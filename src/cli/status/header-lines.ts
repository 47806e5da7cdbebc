import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import { type Head, LEVELS, type LevelCounts } from '../../view/shapes.js';
import { clock } from './spans.js';
import { clean, cut, joined, type Medium, type Part, painted, toneOf } from './terminal-style.js';

/** The first lines of every page: how the reporter is, how current this is, how many services are how. */
export function headerLines(
  reporter: ReporterAnswer,
  head: Head | undefined,
  counts: LevelCounts | undefined,
  medium: Medium,
): string[] {
  const first = joined(
    [
      [`reporter ${reporter.state}`, reporter.state === 'ok' ? 'good' : 'bad'],
      [counted(agentsOf(reporter), 'agent')],
      [currentOf(head, reporter)],
      ...(counts ? countsOf(counts) : []),
    ],
    medium,
  );
  const problems = reporter.problems
    .filter(({ severity }) => severity !== 'notice')
    .map(({ code, text, severity }) =>
      painted(
        cut(`! ${code}: ${clean(text, medium)}`, medium.width, medium),
        severity === 'critical' ? 'bad' : 'warn',
        medium,
      ),
    );
  return [first, ...problems];
}

/** Machines that are there; without a view, connections. */
function agentsOf({ agents, view }: ReporterAnswer): number {
  const callers = view.counts?.callers;
  return callers ? callers.reporting + callers.connected : agents.connections;
}

function currentOf(head: Head | undefined, { view, asOf }: ReporterAnswer): string {
  if (!head) return view.state === 'off' ? 'no view' : `as of ${clock(asOf)}`;
  const { warming, behind, sampled } = head;
  const share = sampled === undefined ? '' : ` (seen through 1 of ${Math.round(1 / sampled)} callers)`;
  if (warming) return `reading the table (${warming.rows} rows), as of ${clock(head.asOf)}${share}`;
  if (behind) return `${Math.round(behind.seconds)} s behind, as of ${clock(head.asOf)}${share}`;
  return `live as of ${clock(head.asOf)}${share}`;
}

/** `1 overloaded`, `3 noted`, `214 ok`, worst first. */
function countsOf(counts: LevelCounts): Part[] {
  const parts = LEVELS.toReversed()
    .filter((level) => counts[level] > 0)
    .map((level, index): Part => {
      const [text, tone] = [`${counts[level]} ${level}`, level === 'ok' ? undefined : toneOf(level)];
      return index === 0 ? [text, tone] : [text, tone, ', '];
    });
  return parts.length > 0 ? parts : [['no services']];
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
