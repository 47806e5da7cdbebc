import { useRef } from 'preact/hooks';
import type { Summary } from '../../view/shapes.js';
import { formats, href, nowMs, place, setParams, texts } from '../live/app.js';
import { applied, applyOrder, useCalm } from '../live/use-calm.js';
import { HostBlocks, Strip } from '../parts/bars.js';
import { State } from '../parts/mark.js';
import { Ago } from '../parts/times.js';
import { reasonsOf, ServiceName } from '../parts/words.js';
import { calmOrder } from '../pure/calm.js';
import { secondsSince } from '../pure/formats.js';
import { idOf, type ServiceList } from '../pure/stream-merge.js';

const SORTS = { state: 'trouble', service: 'name', errors: 'errors', calls: 'calls' } as const;
const COLUMNS = ['state', 'service', 'hosts', 'callers', 'errors', 'calls', 'strip', 'heard'] as const;
type Column = (typeof COLUMNS)[number];

const NUMERIC: readonly Column[] = ['callers', 'errors', 'calls', 'heard'];

export function ServiceTable({ list }: { readonly list: ServiceList }) {
  const { overview } = texts.value;
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef<readonly string[]>([]);
  const known = useRef(new Map<string, Summary>());
  const question = useRef<unknown>(undefined);
  const askedAt = useRef(0);
  const calm = useCalm(box);
  // Another question is answered at once, and so is the wish for the new order.
  if (question.current !== place.value.params || askedAt.current !== applied.value) shown.current = [];
  question.current = place.value.params;
  askedAt.current = applied.value;
  for (const [id, summary] of list.byId) known.current.set(id, summary);
  const { shown: order, waiting } = calmOrder(shown.current, list.order, calm.isHeld.value, (id) =>
    known.current.has(id),
  );
  shown.current = order;
  if (waiting === 0) known.current = new Map(list.byId);
  return (
    <div class="table-box" ref={box} {...calm.handlers}>
      <button type="button" class={`apply${waiting === 0 ? ' hidden' : ''}`} data-apply onClick={applyOrder}>
        {overview.waiting(waiting)}
      </button>
      <table class="services cards">
        <caption class="visually-hidden">{overview.caption}</caption>
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <Head key={column} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {order.flatMap((id) => {
            const summary = known.current.get(id);
            return summary ? [<Row key={id} summary={summary} isGone={!list.byId.has(id)} />] : [];
          })}
        </tbody>
      </table>
    </div>
  );
}

function Head({ column }: { readonly column: Column }) {
  const { overview } = texts.value;
  const sort = column in SORTS ? SORTS[column as keyof typeof SORTS] : undefined;
  const word = overview.columns[column];
  const asked = place.value.params['sort'] ?? 'trouble';
  const isSorted = sort !== undefined && asked === sort;
  const isReversed = sort !== undefined && asked === `-${sort}`;
  // The largest come first, names in rising order.
  const isRising = sort === 'name' ? isSorted : isReversed;
  const sorted = isSorted || isReversed ? (isRising ? 'ascending' : 'descending') : undefined;
  const next = isSorted ? `-${sort}` : sort;
  return (
    <th scope="col" class={`c-${column}${NUMERIC.includes(column) ? ' right' : ''}`} aria-sort={sorted}>
      {sort === undefined ? (
        word
      ) : (
        <button
          type="button"
          title={overview.sortBy(word)}
          onClick={() => setParams({ sort: next === 'trouble' ? undefined : next })}
        >
          {word}
          <span aria-hidden="true" class="arrow">
            {sorted === undefined ? '' : isRising ? '↑' : '↓'}
          </span>
        </button>
      )}
    </th>
  );
}

interface RowProps {
  readonly summary: Summary;
  readonly isGone: boolean;
}

function Row({ summary, isGone }: RowProps) {
  const id = idOf(summary);
  const { level, overview } = texts.value;
  const { hosts, callers, calls, since, reasons } = summary;
  const bad = hosts.overloaded + hosts.disputed + hosts.failing;
  return (
    <tr
      data-service={id}
      data-level={summary.level}
      data-state={summary.state}
      class={`level-${summary.level}${isGone ? ' gone' : ''}${summary.state === 'live' ? '' : ' not-live'}`}
    >
      <td class="c-state">
        <State tone={summary.level} word={level[summary.level]} />
        {since !== null && <Since since={since} />}
      </td>
      <th scope="row" class="c-service">
        <a class="row-link" href={href(`services/${id}`)}>
          <ServiceName service={summary} />
        </a>
        {summary.flapping && <span class="tag">{overview.flapping}</span>}
        {reasons.length > 0 && <span class="why">{reasonsOf(summary, 1)}</span>}
      </th>
      <td class="c-hosts">
        <HostBlocks overloaded={hosts.overloaded} bad={bad} total={hosts.total} />
      </td>
      <td class="c-callers right num" data-label={overview.columns.callers}>
        {callers.affected === 0 ? (
          <span class="muted">{formats.value.count(callers.fresh)}</span>
        ) : (
          overview.agree(formats.value.count(callers.affected), formats.value.count(callers.fresh))
        )}
      </td>
      <ErrorCell calls={calls} />
      <td class="c-calls right num">{formats.value.rate(calls.perSecond)}</td>
      <td class="c-strip">
        <Strip spark={summary.spark} />
      </td>
      <Heard summary={summary} />
    </tr>
  );
}

function Since({ since }: { readonly since: string }) {
  const span = formats.value.span(secondsSince(since, nowMs.value));
  return (
    <time class="since" dateTime={since} title={formats.value.fully(since)}>
      {span}
    </time>
  );
}

/** The share of errors and what it was taken over; minutes other than one are said. */
export function ErrorCell({ calls }: Pick<Summary, 'calls'>) {
  const { overview } = texts.value;
  const { errorShare, windowS } = calls;
  const isHigh = errorShare !== null && errorShare >= 0.1;
  return (
    <td
      data-label={overview.columns.errors}
      class={`c-errors right num${isHigh ? ' high' : ''}${errorShare === null ? ' muted' : ''}`}
    >
      {formats.value.share(errorShare)}
      {windowS === 300 && <span class="window"> {overview.window(5)}</span>}
    </td>
  );
}

function Heard({ summary }: { readonly summary: Summary }) {
  const { freshness } = texts.value;
  const { state, lastHeard } = summary;
  return (
    <td class="c-heard right" title={freshness[state]}>
      {state === 'live' ? (
        <span class="muted">{freshness.live}</span>
      ) : lastHeard === null ? (
        freshness[state]
      ) : (
        <Ago time={lastHeard} />
      )}
    </td>
  );
}
