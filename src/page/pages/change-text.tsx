import type { Change, Incident, IncidentKind } from '../../view/shapes.js';
import { formats, href, texts } from '../live/app.js';
import { Mark } from '../parts/mark.js';
import { Clock } from '../parts/times.js';
import { CallerLink, HostLink } from '../parts/words.js';
import type { ChangeGroup } from '../pure/group-changes.js';
import type { Tone } from '../pure/verdicts.js';

const TONES: Readonly<Partial<Record<Change['kind'], Tone>>> = {
  'incident-began': 'overloaded',
  'incident-ended': 'ok',
  'voice-gone': 'failing',
  'voice-back': 'ok',
  'voice-shared': 'noted',
  'voice-skew': 'noted',
  'service-silent': 'noted',
  'service-back': 'ok',
};

interface Props {
  readonly group: ChangeGroup;
  /** The incidents that began or ended, as far as they are known. */
  readonly incidents: ReadonlyMap<number, Incident>;
}

const MOST_HOSTS = 3;

/** What happened when, with links to where it happened. */
export function ChangeItem({ group, incidents }: Props) {
  const { first } = group;
  const incident = first.incident === null ? undefined : incidents.get(first.incident);
  const tone =
    first.kind === 'incident-began' && incident?.kind === 'errors'
      ? 'failing'
      : (TONES[first.kind] ?? 'quiet');
  return (
    <li data-change={first.kind}>
      <Clock time={first.at} />
      <span class="change">
        <Mark tone={tone} />
        <span>
          <Where group={group} /> <What change={first} incident={incident} />
        </span>
      </span>
    </li>
  );
}

function Where({ group }: Pick<Props, 'group'>) {
  const { changes: words } = texts.value;
  const { modid, cmdid, name, host, caller, kind } = group.first;
  const isIncident = kind === 'incident-began' || kind === 'incident-ended';
  const hosts = group.changes.flatMap((change) => change.host ?? []);
  return (
    <>
      {modid !== null && cmdid !== null && (
        <a class="id" href={href(`services/${modid}/${cmdid}`)}>
          {modid}/{cmdid}
        </a>
      )}
      {name !== null && <span class="name">{name}</span>}{' '}
      {hosts.length > MOST_HOSTS
        ? words.many(hosts.length)
        : hosts.map((each) => [<HostLink key={each} host={each} />, ' '])}
      {host === null && !isIncident && caller !== null && <CallerLink caller={caller} />}
    </>
  );
}

interface WhatProps {
  readonly change: Change;
  readonly incident: Incident | undefined;
}

function What({ change, incident }: WhatProps) {
  const { changes } = texts.value;
  const { kind, host, text } = change;
  const which: IncidentKind | 'unknown' = host !== null ? 'host' : (incident?.kind ?? 'unknown');
  if (kind === 'incident-began') return <>{changes.began[which]}</>;
  if (kind === 'incident-ended') {
    const seconds = incident?.ended
      ? (Date.parse(incident.ended) - Date.parse(incident.began)) / 1000
      : undefined;
    return (
      <>
        {changes.ended[which]}
        {seconds !== undefined && <span class="muted"> {changes.lasted(formats.value.span(seconds))}</span>}
      </>
    );
  }
  if (kind === 'reporter' || kind === 'more') return <span lang="en">{text}</span>;
  return <>{changes[kind]}</>;
}
