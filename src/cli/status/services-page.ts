import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import type { Calls, ServicesAnswer, Summary } from '../../view/shapes.js';
import type { FoundServices, Subject, Suspects } from './asking.js';
import { counted, headerLines } from './header-lines.js';
import type { Page } from './page-type.js';
import { since } from './spans.js';
import { type Column, layOut } from './table-layout.js';
import { clean, cut, type Medium, painted, separator, shapeOf, toneOf, unknown } from './terminal-style.js';

/** The list of services. */
export function servicesPage(
  reporter: ReporterAnswer,
  { services: answer, subject, suspects }: FoundServices,
  medium: Medium,
): Page {
  const { services, counts, total, asOf } = answer;
  const header = [
    ...headerLines(reporter, answer, counts, medium),
    ...suspectLines(suspects).map((line) => painted(cut(line, medium.width, medium), 'warn', medium)),
  ];
  if (services.length === 0)
    return { lines: [...header, ...emptyLines(answer, subject)], targets: new Map() };
  const { head, lines } = layOut(columnsOf(asOf, medium), services, medium);
  const more = total - services.length;
  const below = more > 0 ? [`${counted(more, 'more service')}; --limit ${total} shows all of them`] : [];
  const first = header.length + 1;
  return {
    lines: [...header, head, ...lines, ...below],
    targets: new Map(services.map(({ modid, cmdid }, index) => [first + index, { modid, cmdid }])),
  };
}

/** One thing or many: what stands behind several complaints. */
function suspectLines({ hosts, callers }: Suspects): string[] {
  return [
    ...hosts.map(
      ({ ip, overloaded, services }) =>
        `suspect: host ${ip} is overloaded in ${overloaded} of ${services} services`,
    ),
    ...callers.map(
      ({ caller, lone, hot }) =>
        `suspect: caller ${caller} complains alone about ${counted(lone, 'host')}, with others about ${hot - lone}`,
    ),
  ];
}

function emptyLines({ counts }: ServicesAnswer, subject: Subject): string[] {
  const known = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (known === 0)
    return ['no agent has reported yet; try: lars-reporter send --help, or lars-reporter simulate --help'];
  const level = subject.kind === 'services' ? subject.min : 'failing';
  return [
    level === 'failing'
      ? 'no service is in trouble; --all lists all of them'
      : `no service is at level ${level} or above; --all lists all of them`,
  ];
}

function columnsOf(asOf: string, medium: Medium): Column<Summary>[] {
  const none = unknown(medium);
  return [
    ...(medium.shapes
      ? [
          {
            title: ' ',
            text: ({ level }: Summary) => shapeOf(level, medium),
            tone: ({ level }: Summary) => toneOf(level),
          },
        ]
      : []),
    { title: 'level', text: ({ level }) => level, tone: ({ level }) => toneOf(level) },
    { title: 'service', text: (service) => serviceName(service, medium), least: 12 },
    { title: 'hosts', isRight: true, leaves: 1, text: ({ hosts }) => `${hosts.overloaded}/${hosts.total}` },
    {
      ...{ title: 'callers', isRight: true, leaves: 3 },
      text: ({ callers }) => `${callers.affected}/${callers.fresh}`,
    },
    { title: 'errors', isRight: true, leaves: 4, text: ({ calls }) => errorsOf(calls, none) },
    { title: 'calls/s', isRight: true, leaves: 5, text: ({ calls }) => calls.perSecond.toFixed(1) },
    { title: 'since', leaves: 2, text: (service) => (service.since ? since(service.since, asOf) : none) },
    {
      title: 'why',
      text: (service) => reasonsOf(service, medium).join(separator(medium)),
      core: (service) => reasonsOf(service, medium)[0] ?? '',
    },
  ];
}

export function serviceName(
  { modid, cmdid, name }: Pick<Summary, 'modid' | 'cmdid' | 'name'>,
  medium: Medium,
): string {
  return `${modid}/${cmdid}${name === null ? '' : ` ${clean(name, medium)}`}`;
}

/** `6.1 %`, by the share the view gives. */
export function errorsOf({ errorShare }: Calls, none: string): string {
  return errorShare === null ? none : `${(errorShare * 100).toFixed(1)} %`;
}

/** Why it stands where it stands, strongest first. */
export function reasonsOf({ reasons, state, flapping }: Summary, medium: Medium): string[] {
  const parts = reasons.map(({ text }) => clean(text, medium));
  if (flapping) parts.push('flapping');
  if (state !== 'live' && parts.length === 0) parts.push(STATES[state]);
  return parts;
}

const STATES = {
  quiet: 'no calls: its callers are connected',
  silent: 'not heard any more',
  table: 'as the table has it, not heard since the start',
} as const;
