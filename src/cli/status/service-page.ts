import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import type { Host, HostName, ServiceAnswer, Voice } from '../../view/shapes.js';
import { counted, headerLines } from './header-lines.js';
import { errorsOf, reasonsOf, serviceName } from './services-page.js';
import { ago, since } from './spans.js';
import { type Column, layOut } from './table-layout.js';
import { clean, cut, joined, type Medium, type Part, shapeOf, toneOf, unknown } from './terminal-style.js';

/** One service: its hosts, then callers that say so, then those that do not. */
export function servicePage(reporter: ReporterAnswer, answer: ServiceAnswer, medium: Medium): string[] {
  const { summary, hosts, matrix, asOf } = answer;
  const { level } = summary;
  const tone = toneOf(level);
  const title = joined(
    [
      [`${shapeOf(level, medium)} ${level}`.trim(), tone],
      [serviceName(summary, medium), 'bold'],
      ...(summary.since === null ? [] : [[`since ${since(summary.since, asOf)}`] satisfies Part]),
    ],
    medium,
  );
  const reasons = reasonsOf(summary, medium).map((text) => cut(`  ${text}`, medium.width, medium));
  const table = layOut(hostColumns(asOf, medium), hosts, medium);
  const callers = layOut(callerColumns(asOf, medium), callersOf(answer), medium);
  const { voices, hosts: unseen } = matrix.omitted;
  return [
    ...headerLines(reporter, answer, undefined, medium),
    title,
    ...(reasons.length > 0 ? reasons : ['  nothing is wrong']),
    '',
    ...(hosts.length > 0 ? [table.head, ...table.lines] : ['no hosts']),
    '',
    ...(callers.lines.length > 0 ? [callers.head, ...callers.lines] : ['no callers']),
    ...(voices > 0 ? [`${counted(voices, 'more caller')}; --limit shows up to 500`] : []),
    ...(unseen > 0 ? [`what callers say of ${counted(unseen, 'more host')} is not shown`] : []),
  ];
}

type StateOf = Pick<Host, 'state'>;

/** Shape and state of a host. */
export function stateColumns<Row extends StateOf>(medium: Medium): Column<Row>[] {
  return [
    ...(medium.shapes
      ? [
          {
            title: ' ',
            text: ({ state }: Row) => shapeOf(state, medium),
            tone: ({ state }: Row) => toneOf(state),
          },
        ]
      : []),
    { title: 'state', text: ({ state }) => state, tone: ({ state }) => toneOf(state) },
  ];
}

/** What is said of a host, behind its name. */
export function sayingColumns(asOf: string, medium: Medium): Column<Host>[] {
  const none = unknown(medium);
  return [
    { title: 'agree', isRight: true, text: ({ hot, callers }) => `${hot}/${callers}` },
    { title: 'flagged', isRight: true, leaves: 5, text: ({ flaggedNow }) => String(flaggedNow) },
    { title: 'relapses', isRight: true, leaves: 6, text: ({ relapses }) => String(relapses) },
    { title: 'errors', isRight: true, leaves: 2, text: ({ calls }) => errorsOf(calls, none) },
    { title: 'calls/s', isRight: true, leaves: 4, text: ({ calls }) => calls.perSecond.toFixed(1) },
    {
      ...{ title: 'last call', isRight: true, leaves: 3 },
      text: ({ lastCall }) => (lastCall === null ? none : ago(lastCall, asOf)),
    },
    { title: 'since', text: (host) => sinceOf(host, asOf, none) },
  ];
}

function sinceOf({ since: began, flapping, recovering }: Host, asOf: string, none: string): string {
  const more = `${recovering ? ' recovering' : ''}${flapping ? ' flapping' : ''}`;
  return `${began === null ? none : since(began, asOf)}${more}`;
}

function hostColumns(asOf: string, medium: Medium): Column<Host>[] {
  return [
    ...stateColumns<Host>(medium),
    { title: 'host', text: ({ ip, port }) => `${ip}:${port}` },
    ...sayingColumns(asOf, medium),
  ];
}

interface Caller {
  readonly voice: Voice;
  /** Hosts it holds for overloaded. */
  readonly avoids: readonly HostName[];
}

function callersOf({ voices, hosts, matrix }: ServiceAnswer): Caller[] {
  const callers = voices.map((voice, column) => ({
    voice,
    avoids: hosts
      .filter((_, row) => /[Oo]/.test(matrix.cells[row]?.[column] ?? ''))
      .map(({ ip, port }) => `${ip}:${port}`),
  }));
  const says = ({ avoids }: Caller) => avoids.length > 0;
  return [...callers.filter(says), ...callers.filter((caller) => !says(caller))];
}

function callerColumns(asOf: string, medium: Medium): Column<Caller>[] {
  const none = unknown(medium);
  return [
    { title: 'caller', text: ({ voice }) => voiceName(voice) },
    {
      title: 'machine',
      leaves: 2,
      text: ({ voice }) => voice.state,
      tone: ({ voice }) => (voice.state === 'gone' ? 'warn' : undefined),
    },
    {
      ...{ title: 'heard', isRight: true, leaves: 1 },
      text: ({ voice }) => (voice.heard === null ? none : ago(voice.heard, asOf)),
    },
    {
      title: 'says overloaded',
      text: ({ avoids }) => (avoids.length === 0 ? none : clean(avoids.join(', '), medium)),
      tone: ({ avoids }) => (avoids.length > 0 ? 'bad' : undefined),
    },
  ];
}

/** `10.9.0.3 (as 127.0.1.1)` */
export function voiceName({ caller, via }: Pick<Voice, 'caller' | 'via'>): string {
  return via === null ? caller : `${caller} (as ${via})`;
}
