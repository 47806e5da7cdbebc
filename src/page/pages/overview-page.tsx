import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ServicesEvent } from '../../view/event-shapes.js';
import { LEVELS, type Level, type ServicesAnswer } from '../../view/shapes.js';
import { counts, href, place, setParams, texts } from '../live/app.js';
import { noteHead } from '../live/liveness.js';
import { type AskError, ask } from '../live/request.js';
import { retry } from '../live/stream.js';
import { useStream } from '../live/use-answer.js';
import { Mark } from '../parts/mark.js';
import { Failure, Loading, NoReports } from '../parts/states.js';
import { TakeAway } from '../parts/take-away.js';
import { noteView } from '../parts/view-head.js';
import { queryOf } from '../pure/page-address.js';
import { applyServices, listOf, type ServiceList } from '../pure/stream-merge.js';
import { LastChanges, Now } from './now.js';
import { ServiceTable } from './service-table.js';

const PAGE = 50;
const MOST = 500;
const WORST_FIRST = [...LEVELS].reverse();

/** All services: what is wrong, what is worst, what changed. */
export function OverviewPage() {
  const { q, level, state, sort, modid, limit } = place.value.params;
  const query = queryOf({ q, level, state, sort, modid, limit: limit ?? PAGE });
  const list = useServices(query);
  const { services, error } = list;
  const found = services.value;
  const isFiltered = [q, level, state, modid].some((each) => each !== undefined);
  if (!found) return error.value ? <Failure error={error.value} /> : <Loading />;
  const all = Object.values(found.counts).reduce((sum, count) => sum + count, 0);
  if (all === 0 && !isFiltered) return <NoReports />;
  return (
    <div class="overview">
      <h1 class="visually-hidden">{texts.value.overview.title}</h1>
      <Chips list={found} />
      <div class="top">
        <Now list={found} isFiltered={isFiltered} />
        <LastChanges />
      </div>
      {found.total === 0 ? <NoMatch /> : <ServiceTable list={found} />}
      <More list={found} query={query} />
    </div>
  );
}

/** The list, from the stream, or asked for. */
function useServices(query: string) {
  const services = useSignal<ServiceList | undefined>(undefined);
  const error = useSignal<AskError | undefined>(undefined);
  const take = (list: ServiceList) => {
    services.value = list;
    error.value = undefined;
    counts.value = list.counts;
    noteView(list);
  };
  const load = async () => {
    const answer = await ask<ServicesAnswer>(`api/services?${query}`);
    noteHead(answer);
    take(listOf(answer));
  };
  useEffect(() => {
    let isOver = false;
    load().catch((failure: AskError) => {
      if (!isOver && failure.status !== 0 && failure.status !== 401) error.value = failure;
    });
    return () => {
      isOver = true;
    };
  }, [query]);
  useStream(
    `view=services&${query}`,
    (kind, data) => {
      if (kind !== 'services') return;
      const next = applyServices(services.value, data as ServicesEvent);
      if (next) take(next);
      else load().catch(retry);
    },
    load,
  );
  return { services, error };
}

function Chips({ list }: { readonly list: ServiceList }) {
  const { level: words, overview, levelMeans } = texts.value;
  const asked = (place.value.params['level'] ?? '').split(',').filter((word) => word !== '');
  const toggle = (level: Level) => {
    const next = asked.includes(level) ? asked.filter((word) => word !== level) : [...asked, level];
    setParams({ level: WORST_FIRST.filter((word) => next.includes(word)).join(','), limit: undefined });
  };
  return (
    <fieldset class="chips" aria-label={overview.levels}>
      {WORST_FIRST.map((level) => (
        <button
          key={level}
          type="button"
          class={`chip tone-${level}${list.counts[level] === 0 ? ' none' : ''}`}
          aria-pressed={asked.includes(level)}
          title={levelMeans[level]}
          data-level-count={level}
          onClick={() => toggle(level)}
        >
          <Mark tone={level} />
          <b class="num">{list.counts[level]}</b> {words[level]}
        </button>
      ))}
      <label class="check">
        <input
          type="checkbox"
          checked={place.value.params['state'] !== undefined}
          onChange={({ currentTarget }) =>
            setParams({ state: currentTarget.checked ? 'live,quiet,silent,table' : undefined })
          }
        />
        {overview.showHidden}
      </label>
    </fieldset>
  );
}

function NoMatch() {
  const { state } = texts.value;
  return (
    <section class="notice" data-state-of-page="no-match">
      <p class="lead">{state.noMatch}</p>
      <p>
        <a href={href('')}>{state.clear}</a>
      </p>
    </section>
  );
}

function More({ list, query }: { readonly list: ServiceList; readonly query: string }) {
  const { overview } = texts.value;
  const left = list.total - list.order.length;
  return (
    <p class="more">
      {overview.shown(String(list.order.length), String(list.total))}{' '}
      {left > 0 && list.order.length < MOST && (
        <button type="button" onClick={() => setParams({ limit: Math.min(MOST, list.order.length + PAGE) })}>
          {overview.more(Math.min(PAGE, left))}
        </button>
      )}
      <TakeAway path={`api/services?${query}`} />
    </p>
  );
}
