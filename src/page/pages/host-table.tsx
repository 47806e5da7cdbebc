import type { Host, ServiceHost } from '../../view/shapes.js';
import { formats, texts } from '../live/app.js';
import { ShareBar } from '../parts/bars.js';
import { State } from '../parts/mark.js';
import { Ago, Span } from '../parts/times.js';
import { HostLink, ServiceLink } from '../parts/words.js';
import { toneOf } from '../pure/verdicts.js';
import { ErrorCell } from './service-table.js';

/** The hosts of a service, worst first. */
export function HostTable({ hosts }: { readonly hosts: readonly Host[] }) {
  const { service } = texts.value;
  const columns = service.hostColumns;
  return (
    <section aria-labelledby="hosts-title">
      <h2 id="hosts-title">{service.hosts}</h2>
      <div class="table-box">
        <table class="hosts cards">
          <caption class="visually-hidden">{service.hostsCaption}</caption>
          <thead>
            <tr>
              <th scope="col">{columns.state}</th>
              <th scope="col">{columns.host}</th>
              <Rest />
            </tr>
          </thead>
          <tbody>
            {hosts.map((host) => {
              const name = `${host.ip}:${host.port}`;
              return (
                <tr key={name} data-host={name} data-state={host.state}>
                  <StateCell host={host} />
                  <th scope="row" class="c-service">
                    <HostLink host={name} />
                    <Flags host={host} />
                  </th>
                  <RestCells host={host} />
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The services and ports of one address. */
export function PlacesTable({ hosts }: { readonly hosts: readonly ServiceHost[] }) {
  const { hosts: words, service } = texts.value;
  const columns = service.hostColumns;
  return (
    <section aria-labelledby="places-title">
      <h2 id="places-title">{words.services}</h2>
      <div class="table-box">
        <table class="hosts cards">
          <caption class="visually-hidden">{words.services}</caption>
          <thead>
            <tr>
              <th scope="col">{columns.state}</th>
              <th scope="col">{words.service}</th>
              <th scope="col" class="right">
                {words.port}
              </th>
              <Rest />
            </tr>
          </thead>
          <tbody>
            {hosts.map((host) => (
              <tr
                key={`${host.modid}/${host.cmdid}:${host.port}`}
                data-host={`${host.ip}:${host.port}`}
                data-state={host.state}
              >
                <StateCell host={host} />
                <th scope="row" class="c-service">
                  <ServiceLink service={host} />
                  <Flags host={host} />
                </th>
                <td class="right num" data-label={words.port}>
                  {host.port}
                </td>
                <RestCells host={host} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The columns that both tables have. */
function Rest() {
  const columns = texts.value.service.hostColumns;
  return (
    <>
      <th scope="col">{columns.agree}</th>
      {(['flagged', 'relapses', 'errors', 'calls', 'lastCall'] as const).map((column) => (
        <th key={column} scope="col" class="right">
          {columns[column]}
        </th>
      ))}
    </>
  );
}

function StateCell({ host }: { readonly host: Host }) {
  return (
    <td class="c-state">
      <State tone={toneOf(host.state)} word={texts.value.hostState[host.state]} />
      {host.since !== null && (
        <span class="since">
          <Span time={host.since} />
        </span>
      )}
    </td>
  );
}

function Flags({ host }: { readonly host: Host }) {
  const { service, overview } = texts.value;
  return (
    <>
      {host.recovering && <span class="tag">{service.recovering}</span>}
      {host.flapping && <span class="tag">{overview.flapping}</span>}
    </>
  );
}

function RestCells({ host }: { readonly host: Host }) {
  const { overview, service, never } = texts.value;
  const columns = service.hostColumns;
  const { count, rate } = formats.value;
  const written = (number: number) => count.call(formats.value, number);
  return (
    <>
      <td class="c-agree num" data-label={columns.agree}>
        <ShareBar share={host.agree} tone={toneOf(host.state)} />
        {overview.agree(written(host.hot), written(host.callers))}
      </td>
      <td class="right num" data-label={columns.flagged}>
        {written(host.flaggedNow)}
      </td>
      <td class="right num" data-label={columns.relapses}>
        {written(host.relapses)}
      </td>
      <ErrorCell calls={host.calls} />
      <td class="c-calls right num" data-label={columns.calls}>
        {rate.call(formats.value, host.calls.perSecond)}
      </td>
      <td class="right" data-label={columns.lastCall}>
        {host.lastCall === null ? never : <Ago time={host.lastCall} />}
      </td>
    </>
  );
}
