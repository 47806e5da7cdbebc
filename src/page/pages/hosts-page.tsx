import type { HostAddress, HostAnswer, HostsAnswer } from '../../view/shapes.js';
import { formats, href, place, setParams, texts } from '../live/app.js';
import { COUNTS_TOPIC, useAnswer, useStream } from '../live/use-answer.js';
import { State } from '../parts/mark.js';
import { Failure, Loading, Notice } from '../parts/states.js';
import { Ago } from '../parts/times.js';
import { queryOf } from '../pure/page-address.js';
import type { Tone } from '../pure/verdicts.js';
import { PlacesTable } from './host-table.js';

const PAGE = 50;

/** Machines that serve, across services. */
export function HostsPage() {
  useStream(COUNTS_TOPIC);
  const { hosts: words, overview } = texts.value;
  const { q, min, limit = String(PAGE) } = place.value.params;
  const { answer, error } = useAnswer<HostsAnswer>(`api/hosts?${queryOf({ q, min, limit })}`);
  const found = answer.value;
  return (
    <div class="list">
      <h1>{words.title}</h1>
      <p class="muted">{words.lead}</p>
      <label class="filter">
        {words.filter}
        <input
          type="search"
          value={q ?? ''}
          inputMode="decimal"
          onInput={({ currentTarget }) => setParams({ q: currentTarget.value, limit: undefined })}
        />
      </label>
      {error.value && !found && <Failure error={error.value} />}
      {!found && !error.value && <Loading />}
      {found && found.total === 0 && <Notice>{words.none}</Notice>}
      {found && found.total > 0 && <HostList hosts={found.hosts} />}
      {found && found.total > found.hosts.length && (
        <p class="more">
          {overview.shown(String(found.hosts.length), String(found.total))}{' '}
          <button
            type="button"
            onClick={() => setParams({ limit: Math.min(500, found.hosts.length + PAGE) })}
          >
            {overview.more(Math.min(PAGE, found.total - found.hosts.length))}
          </button>
        </p>
      )}
    </div>
  );
}

const STATES = ['overloaded', 'disputed', 'failing', 'noted'] as const;

function HostList({ hosts }: { readonly hosts: readonly HostAddress[] }) {
  const { hosts: words } = texts.value;
  const { columns } = words;
  return (
    <div class="table-box">
      <table class="cards">
        <caption class="visually-hidden">{words.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.host}</th>
            <th scope="col" class="right">
              {columns.services}
            </th>
            {STATES.map((state) => (
              <th key={state} scope="col" class="right">
                {columns[state]}
              </th>
            ))}
            <th scope="col" class="right">
              {columns.heard}
            </th>
          </tr>
        </thead>
        <tbody>
          {hosts.map((host) => (
            <tr key={host.ip} data-host={host.ip}>
              <th scope="row" class="c-service">
                <a class="addr row-link" href={href(`hosts/${host.ip}`)}>
                  {host.ip}
                </a>
                {host.suspect && <span class="tag alarm">{words.suspect}</span>}
              </th>
              <td class="right num" data-label={columns.services}>
                {formats.value.count(host.services)}
              </td>
              {STATES.map((state) => (
                <td
                  key={state}
                  class={`right num${host[state] === 0 ? ' muted' : ''}${state === 'overloaded' && host[state] > 0 ? ' high' : ''}`}
                  data-label={columns[state]}
                >
                  {formats.value.count(host[state])}
                </td>
              ))}
              <td class="right" data-label={columns.heard}>
                {host.lastHeard === null ? '–' : <Ago time={host.lastHeard} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One machine that serves. */
export function HostPage() {
  useStream(COUNTS_TOPIC);
  const { hosts: words } = texts.value;
  const { id } = place.value;
  const { answer, error } = useAnswer<HostAnswer>(`api/hosts/${id}`);
  if (error.value && !answer.value) return <Failure error={error.value} />;
  if (!answer.value) return <Loading />;
  const { host, hosts } = answer.value;
  return (
    <div class="service">
      <header class="sentence">
        <h1>
          <span class="id">{host.ip}</span>
        </h1>
        <p class="lead">
          <State tone={toneOfAddress(host)} word={words.sentence(host.overloaded, host.services)} />
          {host.suspect && <span class="why">{words.look}</span>}
        </p>
      </header>
      <PlacesTable hosts={hosts} />
    </div>
  );
}

function toneOfAddress({ services, overloaded, disputed, failing, noted }: HostAddress): Tone {
  if (services === 0) return 'quiet';
  if (overloaded > 0) return 'overloaded';
  if (disputed + failing > 0) return 'failing';
  return noted > 0 ? 'noted' : 'ok';
}
