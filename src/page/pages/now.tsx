import { useEffect } from 'preact/hooks';
import type {
  CallersAnswer,
  ChangesAnswer,
  HostsAnswer,
  IncidentsAnswer,
  Level,
  Summary,
} from '../../view/shapes.js';
import { formats, href, lastChanges, nowMs, texts } from '../live/app.js';
import { ask } from '../live/request.js';
import { useAnswer } from '../live/use-answer.js';
import { State } from '../parts/mark.js';
import { CallerLink, HostLink, reasonsOf, ServiceLink } from '../parts/words.js';
import { secondsSince } from '../pure/formats.js';
import { groupChanges } from '../pure/group-changes.js';
import type { ServiceList } from '../pure/stream-merge.js';
import { ChangeItem } from './change-text.js';

const SUSPECTS_MS = 10_000;
const SHOWN = 5;
/** So many of the newest ones hold those of the last changes. */
const INCIDENTS = 50;
const MOST_REASONS = 2;
const TROUBLE: readonly Level[] = ['outage', 'overloaded', 'failing'];

interface Props {
  readonly list: ServiceList;
  readonly isFiltered: boolean;
}

/** The worst service as a sentence, whether there are more, and who is suspect. */
export function Now({ list, isFiltered }: Props) {
  const { overview } = texts.value;
  const summaries = list.order.flatMap((id) => list.byId.get(id) ?? []);
  const inTrouble = summaries.filter(({ level }) => TROUBLE.includes(level));
  const count = TROUBLE.reduce((sum, level) => sum + list.counts[level], 0);
  const worst = inTrouble.reduce<Summary | undefined>(
    (best, one) => (best && best.trouble >= one.trouble ? best : one),
    undefined,
  );
  const total = Object.values(list.counts).reduce((sum, each) => sum + each, 0);
  return (
    <section class="now" aria-labelledby="now-title">
      <h2 id="now-title">{overview.now}</h2>
      {worst ? <Worst summary={worst} /> : <p class="lead">{isFiltered ? '' : overview.allWell(total)}</p>}
      {worst && count > 1 && <Others count={count - 1} newest={newestSince(inTrouble)} />}
      <Suspects />
    </section>
  );
}

function Worst({ summary }: { readonly summary: Summary }) {
  const { level, service } = texts.value;
  const { since } = summary;
  const span = since === null ? null : formats.value.span(secondsSince(since, nowMs.value));
  return (
    <p class="lead">
      <ServiceLink service={summary} />{' '}
      <State tone={summary.level} word={service.sentence(level[summary.level], span)} />
      <span class="why">{reasonsOf(summary, MOST_REASONS)}</span>
    </p>
  );
}

function newestSince(summaries: readonly Summary[]): string | undefined {
  return summaries
    .flatMap(({ since }) => since ?? [])
    .sort()
    .at(-1);
}

function Others({ count, newest }: { readonly count: number; readonly newest: string | undefined }) {
  const { overview } = texts.value;
  const span = newest === undefined ? undefined : formats.value.span(secondsSince(newest, nowMs.value));
  return <p>{overview.moreInTrouble(count, span)}</p>;
}

/** One machine behind many troubles. */
function Suspects() {
  const { overview } = texts.value;
  const hosts = useAnswer<HostsAnswer>('api/hosts?min=2&limit=3', SUSPECTS_MS).answer.value?.hosts ?? [];
  const voices =
    useAnswer<CallersAnswer>('api/callers?suspect=true&limit=3', SUSPECTS_MS).answer.value?.voices ?? [];
  return (
    <ul class="suspects">
      {hosts
        .filter(({ suspect }) => suspect)
        .map(({ ip, overloaded, services }) => (
          <li key={ip}>
            {overview.host} <HostLink host={ip} /> {overview.suspectHost(overloaded, services)}
          </li>
        ))}
      {voices.map(({ caller, lone }) => (
        <li key={caller}>
          {overview.caller} <CallerLink caller={caller} /> {overview.suspectCaller(lone)}
        </li>
      ))}
    </ul>
  );
}

/** The last things that happened. */
export function LastChanges() {
  const { overview } = texts.value;
  useEffect(() => {
    ask<ChangesAnswer>(`api/changes?limit=${INCIDENTS}`).then(
      ({ events }) => {
        const newest = lastChanges.value[0]?.id ?? 0;
        if ((events[0]?.id ?? 0) >= newest) lastChanges.value = events;
      },
      () => {},
    );
  }, []);
  const shown = groupChanges(lastChanges.value).slice(0, SHOWN);
  const { answer } = useAnswer<IncidentsAnswer>(`api/incidents?limit=${INCIDENTS}`, SUSPECTS_MS);
  const incidents = new Map((answer.value?.incidents ?? []).map((each) => [each.id, each]));
  return (
    <section class="last-changes" aria-labelledby="changes-title">
      <h2 id="changes-title">
        {overview.lastChanges}
        <a class="aside" href={href('changes', { since: '15m' })}>
          {overview.allChanges}
        </a>
      </h2>
      {shown.length === 0 ? (
        <p class="muted">{overview.noChanges}</p>
      ) : (
        <ol class="events">
          {shown.map((group) => (
            <ChangeItem key={group.first.id} group={group} incidents={incidents} />
          ))}
        </ol>
      )}
    </section>
  );
}
