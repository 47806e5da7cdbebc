import type { HostRow, ServiceAnswer } from '../../view/shapes.js';
import { formats, nowMs, setParams, texts } from '../live/app.js';
import { useAnswer } from '../live/use-answer.js';
import { CallerLink, HostLink } from '../parts/words.js';
import { secondsSince } from '../pure/formats.js';

const EVERY_MS = 2000;

interface Props {
  readonly id: string;
  readonly host: string;
  readonly caller: string;
}

/** What one caller last said of one host, as it said it. */
export function RawRow({ id, host, caller }: Props) {
  const { service, never } = texts.value;
  const path = `api/services/${id}?callers=1&host=${host}&caller=${caller}`;
  const { answer, error } = useAnswer<ServiceAnswer>(path, EVERY_MS);
  const row = answer.value?.rows?.[0];
  return (
    <aside class="raw" aria-labelledby="raw-title" data-raw={`${host} ${caller}`}>
      <h3 id="raw-title">
        {service.raw}
        <button type="button" onClick={() => setParams({ host: undefined, caller: undefined })}>
          {service.rawClose}
        </button>
      </h3>
      <p>
        <CallerLink caller={caller} /> → <HostLink host={host} />
      </p>
      {row ? (
        <Facts row={row} />
      ) : (
        <p class="muted">{error.value?.message ?? (answer.value ? never : '…')}</p>
      )}
    </aside>
  );
}

function Facts({ row }: { readonly row: HostRow }) {
  const { service, verdict } = texts.value;
  const { succ, err, previous, overload, lastOn, heard, source, via } = row;
  const span = (time: string) => formats.value.span(secondsSince(time, nowMs.value));
  return (
    <ul>
      <li>
        <b>{verdict[row.verdict]}</b>
      </li>
      <li>{service.rawWindow(succ, err)}</li>
      {previous && <li>{service.rawBefore(previous.succ, previous.err, span(previous.endedAt))}</li>}
      <li>{service.rawFlag(overload)}</li>
      {lastOn !== null && <li>{service.rawLastOn(span(lastOn))}</li>}
      <li>{source === 'table' ? service.rawTable : service.rawHeard(span(heard))}</li>
      {via !== null && <li>{service.rawVia(via)}</li>}
    </ul>
  );
}
