/** Where things stand in a plot. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Seconds in which something was wrong. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

/** The same times, without overlaps. */
export function joined(bands: readonly Band[]): Band[] {
  const result: Band[] = [];
  for (const band of [...bands].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && band.from <= last.to)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, band.to) };
    else result.push(band);
  }
  return result;
}

type Values = readonly (number | null)[];

/** A round number at or above the highest value; 1 when there is none. */
export function niceTop(values: Values): number {
  const high = Math.max(0, ...values.map((value) => value ?? 0));
  if (high <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(high));
  return [1, 2, 2.5, 5, 10].map((step) => step * unit).find((top) => top >= high) ?? high;
}

const STEPS_S = [60, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Round times from a first to a last one, at most so many. `offsetS`: of the local day to that of UTC. */
export function timeTicks(first: number, last: number, most: number, offsetS = 0): number[] {
  const step = STEPS_S.find((each) => (last - first) / each <= most) ?? 604_800;
  const ticks: number[] = [];
  for (let at = Math.ceil((first + offsetS) / step) * step - offsetS; at <= last; at += step) ticks.push(at);
  return ticks;
}

interface Shape {
  readonly line: string;
  readonly area: string;
  /** Values with a gap on both sides: no line shows them. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The path of a line, in pieces where values are missing, and of the area below it. `isStepped`: a value holds until the next one. */
export function shapeOf(x: readonly number[], y: Values, bottom: number, isStepped: boolean): Shape {
  let line = '';
  let area = '';
  const points: [number, number][] = [];
  for (let from = 0; from < y.length; from++) {
    if (y[from] === null || y[from] === undefined) continue;
    let to = from;
    while (y[to + 1] !== null && y[to + 1] !== undefined) to++;
    if (to === from) points.push([x[from]!, y[from]!]);
    const piece: string[] = [];
    for (let at = from; at <= to; at++) {
      if (isStepped && at > from) piece.push(`${round(x[at]!)} ${round(y[at - 1]!)}`);
      piece.push(`${round(x[at]!)} ${round(y[at]!)}`);
    }
    line += `M${piece.join('L')}`;
    area += `M${round(x[from]!)} ${bottom}L${piece.join('L')}L${round(x[to]!)} ${bottom}Z`;
    from = to;
  }
  return { line, area, points };
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

/** The place among rising numbers that is closest to one. */
export function closest(numbers: readonly number[], wanted: number): number {
  let best = 0;
  for (const [index, number] of numbers.entries())
    if (Math.abs(number - wanted) < Math.abs((numbers[best] ?? 0) - wanted)) best = index;
  return best;
}
