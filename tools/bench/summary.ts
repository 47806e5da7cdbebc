import { type Line, type Measurement, median, type Target } from './case.js';

/** Median and extremes over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Summary extends Line {
  readonly measured: Spread;
  readonly references?: Spread;
  /** Of measured to reference, round by round. */
  readonly ratio?: Spread;
  /** Whether the medians reach the target; absent where there is none. */
  readonly reached?: boolean;
  readonly rounds: readonly Measurement[];
}

export function summarise(line: Line, rounds: readonly Measurement[]): Summary {
  const measured = spreadOf(rounds.map((round) => round.measured));
  const paired = rounds.flatMap(({ measured: value, reference }) =>
    reference === undefined ? [] : [{ reference, ratio: value / reference }],
  );
  const compared =
    paired.length === 0
      ? undefined
      : {
          references: spreadOf(paired.map(({ reference }) => reference)),
          ratio: spreadOf(paired.map(({ ratio }) => ratio)),
        };
  const { target } = line;
  const judged = target?.of === 'ratio' ? compared?.ratio.median : measured.median;
  return {
    ...line,
    measured,
    ...compared,
    ...(target === undefined || judged === undefined ? {} : { reached: isReached(target, judged) }),
    rounds,
  };
}

function isReached({ atLeast, atMost }: Target, value: number): boolean {
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

const HEADINGS = ['case', 'measured', '', 'reference', 'ratio', 'target', 'reached'];

/** The lines as text, column under column; below it what the cases are. */
export function table(summaries: readonly Summary[]): string {
  const rows = summaries.map(({ id, measured, unit, references, ratio, target, reached }) => [
    id,
    spread(measured),
    unit,
    references ? spread(references) : '–',
    ratio ? spread(ratio) : '–',
    target ? aim(target) : '–',
    reached === undefined ? '–' : reached ? 'yes' : 'NO',
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const notes = summaries.map(
    ({ id, title, reference }) => `${id}: ${title}${reference ? `; reference: ${reference}` : ''}`,
  );
  return [line(HEADINGS), ...rows.map(line), '', 'median (lowest … highest round)', ...notes].join('\n');
}

function spread({ median: middle, min, max }: Spread): string {
  return min === max ? number(middle) : `${number(middle)} (${number(min)} … ${number(max)})`;
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function aim({ of, atLeast, atMost }: Target): string {
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  return of === 'ratio' ? `${bound} ×` : bound;
}
