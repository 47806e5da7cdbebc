import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ServiceEvent } from '../../view/event-shapes.js';
import type { Incident, ServiceAnswer, Summary } from '../../view/shapes.js';
import { formats, nowMs, place, setParams, texts } from '../live/app.js';
import { noteHead } from '../live/liveness.js';
import { type AskError, ask } from '../live/request.js';
import { retry } from '../live/stream.js';
import { useStream } from '../live/use-answer.js';
import { State } from '../parts/mark.js';
import { Failure, Loading } from '../parts/states.js';
import { TakeAway } from '../parts/take-away.js';
import { Minute } from '../parts/times.js';
import { noteView } from '../parts/view-head.js';
import { CallerLink, HostLink, reasonsOf, ServiceName } from '../parts/words.js';
import { secondsSince } from '../pure/formats.js';
import { applyService, idOf } from '../pure/stream-merge.js';
import { HostTable } from './host-table.js';
import { MatrixTable } from './matrix-table.js';
import { Plot } from './plot.js';
import { RawRow } from './raw-row.js';

const CALLERS = 100;

/** One service: which hosts, which callers, since when. */
export function ServicePage() {
  const { id, params } = place.value;
  const { host, caller, callers } = params;
  const { answer, error } = useService(id, callers ?? String(CALLERS));
  if (error.value && !answer.value) return <Failure error={error.value} />;
  const found = answer.value;
  if (!found) return <Loading rows={12} />;
  const { summary, hosts, matrix, incidents } = found;
  const left = matrix.omitted.voices;
  return (
    <div class="service" data-service={id} data-level={summary.level} data-state={summary.state}>
      <Sentence summary={summary} />
      <Tiles summary={summary} />
      <Plot summary={summary} incidents={incidents} />
      <HostTable hosts={hosts} />
      <MatrixTable answer={found} />
      {left > 0 && (
        <p class="more">
          <button
            type="button"
            onClick={() => setParams({ callers: Math.min(500, matrix.voices.length + CALLERS) })}
          >
            {texts.value.service.moreCallers(Math.min(CALLERS, left))}
          </button>
        </p>
      )}
      {host !== undefined && caller !== undefined && <RawRow id={id} host={host} caller={caller} />}
      <Incidents incidents={incidents} />
    </div>
  );
}

function useService(id: string, callers: string) {
  const answer = useSignal<ServiceAnswer | undefined>(undefined);
  const error = useSignal<AskError | undefined>(undefined);
  const take = (found: ServiceAnswer) => {
    answer.value = found;
    error.value = undefined;
    noteView(found);
  };
  const fail = (failure: AskError) => {
    if (failure.status === 0 || failure.status === 401) return;
    answer.value = undefined;
    error.value = failure;
  };
  const load = async () => {
    const found = await ask<ServiceAnswer>(`api/services/${id}?callers=${callers}`);
    noteHead(found);
    take(found);
  };
  useEffect(() => {
    answer.value = undefined;
    error.value = undefined;
  }, [id]);
  useEffect(() => {
    load().catch(fail);
  }, [id, callers]);
  useStream(
    `service=${id}${callers === String(CALLERS) ? '' : `&callers=${callers}`}`,
    (kind, data) => {
      if (kind !== 'service') return;
      const next = applyService(answer.value, data as ServiceEvent);
      if (next && next !== 'gone') take(next);
      else load().catch((failure: AskError) => (failure.status === 0 ? retry() : fail(failure)));
    },
    load,
  );
  return { answer, error };
}

function Sentence({ summary }: { readonly summary: Summary }) {
  const { level, service, overview, freshness } = texts.value;
  const { since, state } = summary;
  const span = since === null ? null : formats.value.span(secondsSince(since, nowMs.value));
  return (
    <header class="sentence">
      <h1>
        <ServiceName service={summary} />
        {summary.flapping && <span class="tag">{overview.flapping}</span>}
        <TakeAway path={`api/services/${idOf(summary)}`} />
      </h1>
      <p class="lead">
        <State tone={summary.level} word={service.sentence(level[summary.level], span)} />
        <span class="why">{reasonsOf(summary) || service.nothing}</span>
        {state !== 'live' && <span class="tag">{freshness[state]}</span>}
      </p>
    </header>
  );
}

function Tiles({ summary }: { readonly summary: Summary }) {
  const { service, of } = texts.value;
  const { hosts, callers, calls } = summary;
  const { count, rate, share } = bound();
  const bad = hosts.overloaded + hosts.disputed + hosts.failing;
  return (
    <dl class="tiles">
      <Tile
        name={service.hosts}
        value={bad === 0 ? count(hosts.total) : of(count(bad), count(hosts.total))}
        note={service.hostsNote(bad)}
      />
      <Tile
        name={service.callers}
        value={
          callers.affected === 0 ? count(callers.fresh) : of(count(callers.affected), count(callers.fresh))
        }
        note={service.callersNote(callers.affected, callers.blackedOut)}
      />
      <Tile
        name={service.errors}
        value={share(calls.errorShare)}
        note={service.windowNote(calls.windowS === null ? null : calls.windowS / 60)}
      />
      <Tile
        name={service.calls}
        value={rate(calls.perSecond)}
        note={service.windowNote(calls.windowS === 300 ? 5 : 1)}
      />
    </dl>
  );
}

function bound() {
  const known = formats.value;
  return {
    count: (number: number) => known.count(number),
    rate: (number: number) => known.rate(number),
    share: (number: number | null) => known.share(number),
  };
}

function Tile({
  name,
  value,
  note,
}: {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <b class="num">{value}</b>
        <span class="muted">{note}</span>
      </dd>
    </div>
  );
}

function Incidents({ incidents }: { readonly incidents: readonly Incident[] }) {
  const { service } = texts.value;
  const { incidentColumns: columns } = service;
  return (
    <section class="incidents" aria-labelledby="incidents-title">
      <h2 id="incidents-title">{service.incidents}</h2>
      {incidents.length === 0 ? (
        <p class="muted">{service.noIncidents}</p>
      ) : (
        <div class="table-box">
          <table class="cards">
            <caption class="visually-hidden">{service.incidents}</caption>
            <thead>
              <tr>
                <th scope="col">{columns.what}</th>
                <th scope="col">{columns.began}</th>
                <th scope="col">{columns.lasted}</th>
                <th scope="col">{columns.peak}</th>
                <th scope="col">{columns.before}</th>
                <th scope="col">{columns.first}</th>
              </tr>
            </thead>
            <tbody>
              {incidents.map((incident) => (
                <IncidentRow key={incident.id} incident={incident} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function IncidentRow({ incident }: { readonly incident: Incident }) {
  const { service } = texts.value;
  const columns = service.incidentColumns;
  const { kind, host, began, ended, peakHot, callers, before, firstCaller } = incident;
  const lastedS =
    ended === null ? secondsSince(began, nowMs.value) : (Date.parse(ended) - Date.parse(began)) / 1000;
  return (
    <tr class={ended === null ? 'running' : ''}>
      <th scope="row">
        <State
          tone={ended !== null ? 'ok' : kind === 'errors' ? 'failing' : 'overloaded'}
          word={service.incidentKind[kind]}
        />{' '}
        {host !== null && <HostLink host={host} />}
      </th>
      <td data-label={columns.began}>
        <Minute time={began} />
      </td>
      <td class="num" data-label={columns.lasted}>
        {formats.value.span(lastedS)}
        {ended === null && <span class="tag">{service.running}</span>}
      </td>
      <td class="num" data-label={columns.peak}>
        {kind === 'errors' ? '–' : service.peak(peakHot, callers)}
      </td>
      <td class="num" data-label={columns.before}>
        {service.before(before.calls, before.errors)}
      </td>
      <td data-label={columns.first}>{firstCaller === null ? '–' : <CallerLink caller={firstCaller} />}</td>
    </tr>
  );
}
