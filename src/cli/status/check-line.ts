import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import { LEVELS, type Level, type ServicesAnswer } from '../../view/shapes.js';

/** Exit codes of Nagios, Icinga and others, by what they mean. */
export const NAGIOS = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;
export type NagiosState = keyof typeof NAGIOS;

export interface CheckResult {
  readonly state: NagiosState;
  readonly line: string;
}

/** From this level on, a service is critical. */
const CRITICAL: Level = 'overloaded';

/** One line as monitoring systems read it: the state, what is wrong, and numbers to plot. */
export function checkLine(reporter: ReporterAnswer, services: ServicesAnswer, failOn: Level): CheckResult {
  const { counts } = services;
  const wrong = [...LEVELS]
    .reverse()
    .filter((level) => counts[level] > 0 && LEVELS.indexOf(level) >= LEVELS.indexOf(failOn));
  const problems = reporter.problems.filter(({ severity }) => severity !== 'notice');
  const isCritical =
    wrong.some((level) => LEVELS.indexOf(level) >= LEVELS.indexOf(CRITICAL)) ||
    problems.some(({ severity }) => severity === 'critical');
  const isWrong = wrong.length > 0 || problems.length > 0 || reporter.state === 'draining';
  const state = isCritical ? 'CRITICAL' : isWrong ? 'WARNING' : 'OK';
  const [worst] = services.services;
  const parts = [
    LEVELS.toReversed()
      .filter((level) => counts[level] > 0)
      .map((level) => `${counts[level]} ${level}`)
      .join(', ') || 'no services',
    ...(wrong.length > 0 && worst
      ? [
          `worst ${worst.modid}/${worst.cmdid}${worst.name === null ? '' : ` ${worst.name}`}: ${worst.reasons[0]?.text ?? worst.level}`,
        ]
      : []),
    ...(reporter.state === 'ok' ? [] : [`reporter ${reporter.state}`]),
    ...problems.map(({ code }) => code),
  ];
  return { state, line: lineOf(state, parts.join('; '), perfdata(reporter, services)) };
}

/** What is said when nobody answers. */
export function unknownLine(why: string): CheckResult {
  return { state: 'UNKNOWN', line: lineOf('UNKNOWN', why, '') };
}

function lineOf(state: NagiosState, text: string, numbers: string): string {
  // What stands behind a bar is numbers, and a line is a line.
  const plain = text.replaceAll('|', '/').replaceAll(/\s+/g, ' ');
  return `LARS ${state} - ${plain}${numbers === '' ? '' : ` | ${numbers}`}`;
}

function perfdata(reporter: ReporterAnswer, { counts }: ServicesAnswer): string {
  const { agents, ledger, writers, rates, view } = reporter;
  const oldestS = Math.max(0, ...writers.map(({ oldestPendingSeconds }) => oldestPendingSeconds));
  const numbers: [string, number, string][] = [
    ...[...LEVELS].reverse().map((level): [string, number, string] => [level, counts[level], '']),
    ['connections', agents.connections, ''],
    ['gone', agents.gone ?? 0, ''],
    ['pending', ledger.pending, ''],
    ['oldest_pending', oldestS, 's'],
    ['rows_in', rates.rowsIn, ''],
    ['view_behind', view.behindS, 's'],
  ];
  return numbers.map(([name, value, unit]) => `${name}=${value}${unit}`).join(' ');
}
