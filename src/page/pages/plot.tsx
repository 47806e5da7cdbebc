import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { HistoryAnswer } from '../../view/history-shapes.js';
import type { Incident, IncidentsAnswer, Summary } from '../../view/shapes.js';
import { formats, hasHistory, nowMs, texts } from '../live/app.js';
import { useAnswer } from '../live/use-answer.js';
import { type ChartPart, Charts } from '../parts/charts.js';
import { Minute } from '../parts/times.js';
import { isEmpty, type Series, seriesOfHistory, seriesOfSpark } from '../pure/series.js';

const SPANS = { '30m': [1800, '1m'], '24h': [86_400, '1m'], '14d': [14 * 86_400, '30m'] } as const;
/** Bands of a plot, at most. */
const MOST_BANDS = 500;
type SpanName = keyof typeof SPANS;
const EVERY_MS = 20_000;

interface Props {
  readonly summary: Summary;
  readonly incidents: readonly Incident[];
}

/** Calls, errors and overloaded hosts over time, one above the other. */
export function Plot({ summary, incidents }: Props) {
  const { service } = texts.value;
  const span = useSignal<SpanName>('30m');
  const { modid, cmdid } = summary;
  const [seconds, step] = SPANS[span.value];
  const to = Math.floor(nowMs.peek() / 60_000) * 60;
  const iso = (s: number) => `${new Date(s * 1000).toISOString().slice(0, 19)}Z`;
  const from = useRef(0);
  from.current = to - seconds;
  const path = `api/history?modid=${modid}&cmdid=${cmdid}&from=${iso(from.current)}&to=${iso(to)}&step=${step}`;
  const { answer } = useAnswer<HistoryAnswer>(hasHistory.value ? path : undefined, EVERY_MS);
  const ran = `api/incidents?modid=${modid}&cmdid=${cmdid}&since=${iso(from.current)}&limit=${MOST_BANDS}`;
  const earlier = useAnswer<IncidentsAnswer>(hasHistory.value ? ran : undefined, EVERY_MS).answer;
  // Those of the service are told as they happen; the others are those of long ago.
  const all = new Map([...(earlier.value?.incidents ?? []), ...incidents].map((one) => [one.id, one]));
  const series = answer.value ? seriesOfHistory(answer.value) : seriesOfSpark(summary.spark, nowMs.peek());
  return (
    <section class="plot" aria-labelledby="plot-title">
      <h2 id="plot-title">
        {service.plot}
        {hasHistory.value && (
          <fieldset class="segments" aria-label={service.plotSpan}>
            {(Object.keys(SPANS) as SpanName[]).map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={span.value === name}
                onClick={() => {
                  span.value = name;
                }}
              >
                {service.plotOf[name]}
              </button>
            ))}
          </fieldset>
        )}
      </h2>
      {isEmpty(series) ? (
        <p class="muted">{service.noHistory}</p>
      ) : (
        <>
          <Charts t={series.t} parts={partsOf(series)} bands={[...all.values()].map(bandOf)} />
          <AsTable series={series} />
        </>
      )}
    </section>
  );
}

function bandOf({ began, ended }: Incident) {
  const to = ended === null ? Number.POSITIVE_INFINITY : Date.parse(ended) / 1000;
  return { from: Date.parse(began) / 1000, to };
}

function partsOf({ calls, errors, overloaded }: Series): ChartPart[] {
  const { service } = texts.value;
  const { count, rate } = formats.value;
  return [
    ...(calls
      ? [{ name: service.calls, values: calls, tone: 'calls', write: rate.bind(formats.value) }]
      : []),
    {
      name: service.errors,
      values: errors,
      tone: 'errors',
      write: (value: number) => formats.value.share(value / 100),
    },
    ...(overloaded
      ? [
          {
            name: service.overloadedHosts,
            values: overloaded,
            tone: 'hosts',
            isStepped: true,
            write: count.bind(formats.value),
          },
        ]
      : []),
  ];
}

/** The same, for those who read rather than look. */
function AsTable({ series }: { readonly series: Series }) {
  const { service } = texts.value;
  const isOpen = useSignal(false);
  const parts = partsOf(series);
  return (
    <details
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>{service.asTable}</summary>
      {isOpen.value && (
        <div class="table-box">
          <table class="series">
            <caption class="visually-hidden">{service.plot}</caption>
            <thead>
              <tr>
                <th scope="col">{service.time}</th>
                {parts.map(({ name }) => (
                  <th key={name} scope="col" class="right">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.t.map((time, index) => (
                <tr key={time}>
                  <th scope="row">
                    <Minute time={new Date(time * 1000).toISOString()} />
                  </th>
                  {parts.map(({ name, values, write }) => {
                    const value = values[index] ?? null;
                    return (
                      <td key={name} class="right num">
                        {value === null ? '–' : write(value)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
