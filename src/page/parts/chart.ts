import uPlot from 'uplot';

export interface ChartPart {
  readonly name: string;
  /** Null: a gap. */
  readonly values: readonly (number | null)[];
  /** Colour: `--plot-…` of the stylesheet. */
  readonly tone: string;
  /** Holds a value until the next one. */
  readonly isStepped?: boolean;
  readonly write: (value: number) => string;
}

/** Seconds in which something was wrong. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

const HEIGHT = 84;
const AXIS = 22;
const SIDE = 56;

interface Drawn {
  readonly plot: uPlot;
  readonly value: HTMLElement;
}

/** Small plots below one another, with one cursor. Canvases take their colours from the stylesheet when drawn. */
export class Chart {
  readonly #box: HTMLElement;
  readonly #writeTime: (ms: number) => string;
  readonly #key = `chart-${Math.random()}`;
  readonly #sizes = new ResizeObserver(() => this.#resize());
  readonly #themes = new MutationObserver(() => this.#redraw());
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = () => {
    for (const { plot } of this.#drawn) plot.redraw(false, true);
  };
  #drawn: Drawn[] = [];
  #parts: readonly ChartPart[] = [];
  #bands: readonly Band[] = [];

  constructor(box: HTMLElement, writeTime: (ms: number) => string) {
    this.#box = box;
    this.#writeTime = writeTime;
    uPlot.sync(this.#key);
    this.#sizes.observe(box);
    this.#scheme.addEventListener('change', this.#redraw);
    this.#themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  show(t: readonly number[], parts: readonly ChartPart[], bands: readonly Band[]): void {
    this.#bands = bands;
    const isAlike = this.#drawn.length > 0 && this.#parts.length === parts.length;
    this.#parts = parts;
    if (!isAlike) {
      this.#clear();
      this.#drawn = parts.map((_, index) => this.#begin(index));
    }
    for (const [index, { plot, value }] of this.#drawn.entries()) {
      plot.setData([[...t], [...(parts[index]?.values ?? [])]]);
      this.#write(plot, index, value);
    }
  }

  destroy(): void {
    this.#sizes.disconnect();
    this.#themes.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#clear();
  }

  #clear(): void {
    for (const { plot } of this.#drawn) plot.destroy();
    this.#drawn = [];
    this.#box.replaceChildren();
  }

  #begin(index: number): Drawn {
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    const value = document.createElement('b');
    caption.append(this.#parts[index]?.name ?? '', ' ', value);
    figure.append(caption);
    this.#box.append(figure);
    const plot = new uPlot(this.#options(index, value), [[], []], figure);
    return { plot, value };
  }

  #options(index: number, value: HTMLElement): uPlot.Options {
    const isLast = index === this.#parts.length - 1;
    const axis = {
      stroke: () => this.#color('muted'),
      grid: { stroke: () => this.#color('line'), width: 1 },
      ticks: { show: false },
      font: '11px sans-serif',
    };
    const times: uPlot.Axis.DynamicValues = (_plot, at) => at.map((s) => this.#writeTime(s * 1000));
    const values: uPlot.Axis.DynamicValues = (_plot, at) =>
      at.map((each) => this.#parts[index]?.write(each) ?? '');
    return {
      ...this.#size(index),
      padding: [6, 8, isLast ? 0 : 4, 0],
      legend: { show: false },
      cursor: { sync: { key: this.#key }, y: false, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, niceTop(high)] } },
      axes: [
        { ...axis, show: isLast, size: AXIS, space: 70, values: times },
        { ...axis, size: SIDE, space: 30, values },
      ],
      series: [{}, this.#series(index)],
      hooks: {
        drawClear: [(plot) => drawBands(plot, this.#bands, this.#color('band'))],
        setCursor: [(plot) => this.#write(plot, index, value)],
      },
    };
  }

  #series(index: number): uPlot.Series {
    const { tone = '', isStepped = false } = this.#parts[index] ?? {};
    return {
      stroke: () => this.#color(tone),
      fill: () => this.#color(`${tone}-fill`),
      width: 1.5,
      points: { show: false },
      spanGaps: false,
      ...(isStepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    };
  }

  /** The value under the cursor, else the newest one. */
  #write(plot: uPlot, index: number, value: HTMLElement): void {
    const { values = [], write } = this.#parts[index] ?? {};
    const under = plot.cursor.idx;
    const shown = under == null ? values.findLast((each) => each !== null) : values[under];
    value.textContent = shown == null ? '–' : (write?.(shown) ?? '');
  }

  #resize(): void {
    for (const [index, { plot }] of this.#drawn.entries()) plot.setSize(this.#size(index));
  }

  #size(index: number) {
    const isLast = index === this.#parts.length - 1;
    return { width: Math.max(200, this.#box.clientWidth), height: isLast ? HEIGHT + AXIS : HEIGHT };
  }

  #color(name: string): string {
    return getComputedStyle(probe(this.#box, name)).color;
  }
}

/** An element that has a colour of the stylesheet; custom properties alone do not tell which theme is on. */
function probe(box: HTMLElement, name: string): HTMLElement {
  const kept = box.parentElement?.querySelector<HTMLElement>(`:scope > .probe-${name}`);
  if (kept) return kept;
  const made = document.createElement('span');
  made.className = `probe probe-${name}`;
  box.after(made);
  return made;
}

function drawBands(plot: uPlot, bands: readonly Band[], fill: string): void {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales['x'] ?? {};
  if (min == null || max == null) return;
  ctx.save();
  ctx.fillStyle = fill;
  for (const { from, to } of bands) {
    const left = plot.valToPos(Math.max(min, Math.min(max, from)), 'x', true);
    const right = plot.valToPos(Math.max(min, Math.min(max, to)), 'x', true);
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/** A round number above the highest value; 1 when there is none. */
function niceTop(high: number | null): number {
  if (high === null || high <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(high));
  return [1, 2, 5, 10].map((step) => step * unit).find((top) => top >= high) ?? high;
}
