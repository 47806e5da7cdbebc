import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import type {
  CallerAnswer,
  CallerRow,
  CallersAnswer,
  Change,
  ChangesAnswer,
  HostAnswer,
  ServiceHost,
  Voice,
} from '../../view/shapes.js';
import { counted, headerLines } from './header-lines.js';
import { sayingColumns, stateColumns, voiceName } from './service-page.js';
import { serviceName } from './services-page.js';
import { ago, clock, since, span } from './spans.js';
import { type Column, layOut } from './table-layout.js';
import { clean, cut, type Medium, painted, separator, shapeOf, toneOf, unknown } from './terminal-style.js';

/** One address in all services. */
export function hostPage(reporter: ReporterAnswer, answer: HostAnswer, medium: Medium): string[] {
  const { host, hosts, asOf } = answer;
  const { ip, services, overloaded, suspect } = host;
  const columns: Column<ServiceHost>[] = [
    ...stateColumns<ServiceHost>(medium),
    { title: 'service', text: (one) => serviceName(one, medium), least: 12 },
    { title: 'port', isRight: true, text: ({ port }) => String(port) },
    ...sayingColumns(asOf, medium),
  ];
  const { head, lines } = layOut(columns, hosts, medium);
  const parts = [ip, `serves ${counted(services, 'service')}`, `overloaded in ${overloaded}`];
  if (suspect) parts.push('the machine rather than a service');
  return [
    ...headerLines(reporter, answer, undefined, medium),
    painted(parts.join(separator(medium)), overloaded > 0 ? 'bad' : 'bold', medium),
    '',
    head,
    ...lines,
  ];
}

/** One caller: what it says, beside what the others say. */
export function callerPage(reporter: ReporterAnswer, answer: CallerAnswer, medium: Medium): string[] {
  const { voice, rows, total, asOf } = answer;
  const { head, lines } = layOut(rowColumns(asOf, medium), rows, medium);
  return [
    ...headerLines(reporter, answer, undefined, medium),
    painted(
      cut(voiceParts(voice, asOf).join(separator(medium)), medium.width, medium),
      voice.suspect ? 'bad' : 'bold',
      medium,
    ),
    '',
    ...(rows.length > 0 ? [head, ...lines] : ['it has reported no hosts']),
    ...(total > rows.length ? [`${counted(total - rows.length, 'more row')}; --limit shows up to 500`] : []),
  ];
}

function voiceParts(voice: Voice, asOf: string): string[] {
  const { heard, skewS, shared, hot, lone, suspect } = voice;
  const parts: string[] = [voiceName(voice), voice.state];
  parts.push(heard === null ? 'not heard' : `heard ${ago(heard, asOf)} ago`);
  if (skewS !== null && Math.abs(skewS) >= 5)
    parts.push(`its clock is ${span(Math.abs(skewS))} ${skewS > 0 ? 'behind' : 'ahead'}`);
  if (shared) parts.push('several machines report under this name');
  if (hot > 0) parts.push(`says overloaded of ${counted(hot, 'host')}, alone with ${lone}`);
  if (suspect) parts.push('the caller rather than the hosts');
  return parts;
}

function rowColumns(asOf: string, medium: Medium): Column<CallerRow>[] {
  return [
    ...(medium.shapes
      ? [
          {
            title: ' ',
            text: ({ verdict }: CallerRow) => shapeOf(verdict, medium),
            tone: ({ verdict }: CallerRow) => toneOf(verdict),
          },
        ]
      : []),
    { title: 'says', text: ({ verdict }) => verdict, tone: ({ verdict }) => toneOf(verdict) },
    { title: 'service', text: (row) => serviceName(row, medium), least: 12 },
    { title: 'host', text: ({ host }) => host },
    { title: 'others', leaves: 1, text: ({ state }) => state, tone: ({ state }) => toneOf(state) },
    { title: 'agree', isRight: true, text: ({ hot, callers }) => `${hot}/${callers}` },
    { title: 'alone', leaves: 3, text: ({ lone }) => (lone ? 'yes' : '') },
    { title: 'heard', isRight: true, leaves: 2, text: ({ heard }) => ago(heard, asOf) },
    { title: 'this window', text: windowOf },
  ];
}

function windowOf({ succ, err, previous, source }: CallerRow): string {
  const before = previous ? `, before ${previous.succ} ok, ${previous.err} failed` : '';
  return `${succ} ok, ${err} failed${before}${source === 'table' ? ' (from the table)' : ''}`;
}

/** What happened, newest first. */
export function changesPage(reporter: ReporterAnswer, answer: ChangesAnswer, medium: Medium): string[] {
  const { events, cursor } = answer;
  const columns: Column<Change>[] = [
    { title: 'at', text: ({ at }) => clock(at) },
    { title: 'what', text: ({ kind }) => kind, tone: ({ kind }) => CHANGE_TONES[kind] },
    {
      title: 'service',
      text: ({ modid, cmdid }) => (modid === null ? '' : `${modid}/${cmdid}`),
    },
    { title: 'who', leaves: 1, text: ({ host, caller }) => host ?? caller ?? '' },
    { title: '', text: ({ text }) => clean(text, medium) },
  ];
  const { head, lines } = layOut(columns, events, medium);
  return [
    ...headerLines(reporter, answer, undefined, medium),
    ...(events.length > 0 ? [head, ...lines] : ['nothing changed in this time']),
    ...(cursor === null ? [] : ['there are more; --limit shows up to 1000']),
  ];
}

const CHANGE_TONES: Partial<Record<Change['kind'], 'bad' | 'good' | 'warn'>> = {
  'incident-began': 'bad',
  'incident-ended': 'good',
  'voice-gone': 'warn',
  'service-silent': 'warn',
};

/** Machines that are known from before and are not there: agents do not reconnect. */
export function gonePage(reporter: ReporterAnswer, answer: CallersAnswer, medium: Medium): string[] {
  const { voices, total, asOf } = answer;
  const none = unknown(medium);
  const columns: Column<Voice>[] = [
    { title: 'caller', text: voiceName },
    { title: 'machine', text: ({ state }) => state },
    { title: 'last heard', text: ({ heard }) => (heard === null ? none : since(heard, asOf)) },
    { title: 'last from', text: ({ lastPeer }) => lastPeer ?? none },
  ];
  const { head, lines } = layOut(columns, voices, medium);
  return [
    ...headerLines(reporter, answer, undefined, medium),
    ...(voices.length > 0
      ? [
          'restart the agents of these machines; original agents do not reconnect by themselves',
          head,
          ...lines,
        ]
      : ['no machine is missing']),
    ...(total > voices.length
      ? [`${counted(total - voices.length, 'more machine')}; --limit shows up to 500`]
      : []),
  ];
}
