import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formats, nowMs } from '../live/app.js';
import { type Band, type Box, closest, joined, niceTop, shapeOf, timeTicks } from '../pure/scale.js';

export interface ChartPart {
  readonly name: string;
  /** Null: a gap. */
  readonly values: readonly (number | null)[];
  /** Colour: `.plot-…` of the style sheet. */
  readonly tone: string;
  /** Holds a value until the next one. */
  readonly isStepped?: boolean;
  readonly write: (value: number) => string;
}

interface Props {
  /** Epoch seconds, rising. */
  readonly t: readonly number[];
  readonly parts: readonly ChartPart[];
  readonly bands: readonly Band[];
}

const HEIGHT = 64;
const AXIS = 20;
const SIDE = 52;
const END = 10;
const TICK_WIDTH = 80;
const DAY_S = 86_400;

/** Plots of one time below one another, with one cursor. A table stands beside them for those who do not see them. */
export function Charts({ t, parts, bands }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const cursor = useSignal<number | undefined>(undefined);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const area = { left: SIDE, top: 6, width: Math.max(0, width.value - SIDE - END), height: HEIGHT };
  return (
    <div class="charts" ref={box}>
      {width.value > 0 &&
        parts.map((part, index) => (
          <Figure
            key={part.name}
            part={part}
            t={t}
            bands={bands}
            box={area}
            cursor={cursor}
            hasTimes={index === parts.length - 1}
          />
        ))}
    </div>
  );
}

interface FigureProps {
  readonly part: ChartPart;
  readonly t: readonly number[];
  readonly bands: readonly Band[];
  readonly box: Box;
  /** Place of the value that is pointed at. */
  readonly cursor: Signal<number | undefined>;
  readonly hasTimes: boolean;
}

function Figure({ part, t, bands, box, cursor, hasTimes }: FigureProps) {
  const { name, values, tone, isStepped = false, write } = part;
  const [first = 0] = t;
  const last = t.at(-1) ?? first;
  const top = niceTop(values);
  const bottom = box.top + box.height;
  const toX = (at: number) =>
    box.left + (Math.min(last, Math.max(first, at)) - first) * (box.width / Math.max(1, last - first));
  const toY = (value: number) => bottom - (value / top) * box.height;
  const xs = t.map(toX);
  const shape = shapeOf(
    xs,
    values.map((value) => (value === null ? null : toY(value))),
    bottom,
    isStepped,
  );
  const at = cursor.value;
  const shown = at === undefined ? values.findLast((value) => value !== null) : values[at];
  const height = bottom + (hasTimes ? AXIS : 4);
  const point = (event: PointerEvent) => {
    if (event.currentTarget instanceof Element)
      cursor.value = closest(xs, event.clientX - event.currentTarget.getBoundingClientRect().left);
  };
  return (
    <figure class={`plot-${tone}`}>
      <figcaption>
        {name} <b class="num">{shown === null || shown === undefined ? '–' : write(shown)}</b>
        {at !== undefined && (
          <span class="num"> {formats.value.minute((t[at] ?? 0) * 1000, nowMs.peek())}</span>
        )}
      </figcaption>
      <svg
        class="chart"
        role="img"
        aria-label={name}
        height={height}
        onPointerMove={point}
        onPointerLeave={() => {
          cursor.value = undefined;
        }}
      >
        <rect width="100%" height={height} fill="transparent" />
        {joined(bands)
          .filter(({ to }) => to > first)
          .map(({ from, to }) => (
            <rect
              key={from}
              class="band"
              x={toX(from)}
              y={box.top}
              width={Math.max(1, toX(to) - toX(from))}
              height={box.height}
            />
          ))}
        {[0, top / 2, top].map((value) => (
          <g key={value}>
            <line class="grid" x1={box.left} x2={box.left + box.width} y1={toY(value)} y2={toY(value)} />
            <text x={box.left - 8} y={toY(value) + 4} text-anchor="end">
              {value === top / 2 ? '' : write(value)}
            </text>
          </g>
        ))}
        <path class="area" d={shape.area} />
        <path class="line" d={shape.line} />
        {shape.points.map(([x, y]) => (
          <circle key={x} cx={x} cy={y} r="1.6" />
        ))}
        {at !== undefined && <line class="cursor" x1={xs[at]} x2={xs[at]} y1={box.top} y2={bottom} />}
        {hasTimes && <Times first={first} last={last} toX={toX} y={bottom + 15} width={box.width} />}
      </svg>
    </figure>
  );
}

interface TimesProps {
  readonly first: number;
  readonly last: number;
  readonly toX: (at: number) => number;
  readonly y: number;
  readonly width: number;
}

function Times({ first, last, toX, y, width }: TimesProps) {
  const offsetS = -new Date(last * 1000).getTimezoneOffset() * 60;
  const most = Math.max(2, Math.floor(width / TICK_WIDTH));
  const ticks = timeTicks(first, last, most, offsetS);
  const isDaily = (ticks[1] ?? 0) - (ticks[0] ?? 0) >= DAY_S;
  return (
    <>
      {ticks.map((at) => (
        <text key={at} x={toX(at)} y={y} text-anchor="middle">
          {formats.value.mark(at * 1000, isDaily)}
        </text>
      ))}
    </>
  );
}
