import type { Change, ChangeKind, ChangesAnswer, Incident, IncidentsAnswer } from '../../view/shapes.js';
import { place, setParams, texts } from '../live/app.js';
import { COUNTS_TOPIC, useAnswer, useStream } from '../live/use-answer.js';
import { Failure, Loading, Notice } from '../parts/states.js';
import { Minute } from '../parts/times.js';
import { groupChanges } from '../pure/group-changes.js';
import { queryOf } from '../pure/page-address.js';
import { ChangeItem } from './change-text.js';

const SPANS = ['15m', '1h', '8h'] as const;
const PAGE = 100;

const GROUPS = {
  incidents: ['incident-began', 'incident-ended'],
  callers: ['voice-gone', 'voice-back', 'voice-shared', 'voice-skew'],
  hosts: ['host-new', 'host-withdrawn', 'service-silent', 'service-back'],
  reporter: ['reporter', 'clock-stepped', 'more'],
} as const satisfies Readonly<Record<string, readonly ChangeKind[]>>;

/** What began and what ended, newest first. */
export function ChangesPage() {
  useStream(COUNTS_TOPIC);
  const { changes: words } = texts.value;
  const { since = '15m', kind, modid, cmdid, host, caller, limit = String(PAGE) } = place.value.params;
  const kinds = kind !== undefined && kind in GROUPS ? GROUPS[kind as keyof typeof GROUPS].join(',') : kind;
  const where = { modid, cmdid, host };
  const { answer, error } = useAnswer<ChangesAnswer>(
    `api/changes?${queryOf({ since, kind: kinds, ...where, caller, limit })}`,
  );
  const incidents = useAnswer<IncidentsAnswer>(`api/incidents?${queryOf({ since, ...where, limit: 500 })}`);
  const known = new Map((incidents.answer.value?.incidents ?? []).map((each) => [each.id, each]));
  const found = answer.value;
  return (
    <div class="list">
      <h1>{words.title}</h1>
      <Filters since={since} kind={kind} />
      {error.value && !found && <Failure error={error.value} />}
      {!found && !error.value && <Loading />}
      {found && found.events.length === 0 && <Notice>{words.none}</Notice>}
      {found &&
        byMinute(found.events).map(([minute, events]) => (
          <Minutes key={minute} events={events} incidents={known} />
        ))}
      {found && found.cursor !== null && (
        <p class="more">
          <button type="button" onClick={() => setParams({ limit: Math.min(1000, Number(limit) + PAGE) })}>
            {words.older}
          </button>
        </p>
      )}
    </div>
  );
}

function Filters({ since, kind }: { readonly since: string; readonly kind: string | undefined }) {
  const { changes: words } = texts.value;
  return (
    <div class="filters">
      <fieldset class="segments" aria-label={words.since}>
        {SPANS.map((span) => (
          <button
            key={span}
            type="button"
            aria-pressed={span === since}
            onClick={() => setParams({ since: span })}
          >
            {words.chips[span]}
          </button>
        ))}
      </fieldset>
      <fieldset class="segments" aria-label={words.kinds}>
        {(['all', 'incidents', 'callers', 'hosts', 'reporter'] as const).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === (kind ?? 'all')}
            onClick={() => setParams({ kind: name === 'all' ? undefined : name })}
          >
            {words.kind[name]}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

function byMinute(events: readonly Change[]): [string, Change[]][] {
  const groups = new Map<string, Change[]>();
  for (const event of events) {
    const minute = event.at.slice(0, 16);
    groups.set(minute, [...(groups.get(minute) ?? []), event]);
  }
  return [...groups];
}

interface MinutesProps {
  readonly events: readonly Change[];
  readonly incidents: ReadonlyMap<number, Incident>;
}

function Minutes({ events, incidents }: MinutesProps) {
  return (
    <section class="minute">
      <h2>
        <Minute time={events[0]?.at ?? ''} />
      </h2>
      <ol class="events">
        {groupChanges(events).map((group) => (
          <ChangeItem key={group.first.id} group={group} incidents={incidents} />
        ))}
      </ol>
    </section>
  );
}
