import type { Change, Incident, IncidentKind } from '../../view/shapes.js';
import { formats, href, texts } from '../live/app.js';
import { Mark } from '../parts/mark.js';
import { CallerLink, HostLink } from '../parts/words.js';
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
  readonly change: Change;
  /** The incident that began or ended, when it is known. */
  readonly incident?: Incident | undefined;
}

/** What happened, with links to where it happened. */
export function ChangeText({ change, incident }: Props) {
  const { kind, modid, cmdid, host, caller } = change;
  const tone =
    kind === 'incident-began' && incident?.kind === 'errors' ? 'failing' : (TONES[kind] ?? 'quiet');
  const isIncident = kind === 'incident-began' || kind === 'incident-ended';
  return (
    <span class="change">
      <Mark tone={tone} />
      <span>
        {modid !== null && cmdid !== null && (
          <a class="id" href={href(`services/${modid}/${cmdid}`)}>
            {modid}/{cmdid}
          </a>
        )}{' '}
        {host !== null && <HostLink host={host} />}{' '}
        {!isIncident && caller !== null && <CallerLink caller={caller} />}{' '}
        <What change={change} incident={incident} />
      </span>
    </span>
  );
}

function What({ change, incident }: Props) {
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
