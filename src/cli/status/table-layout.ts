import { cut, type Medium, painted, type Tone, widthOf } from './terminal-style.js';

/** One column of a table for people. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly isRight?: boolean;
  readonly tone?: (row: Row) => Tone | undefined;
  /** Columns with a number are left out when there is no room, the highest first. */
  readonly leaves?: number;
  /** Of the last column: what is to be seen of it before it is cut; others leave for it. The whole text unless given. */
  readonly core?: (row: Row) => string;
  /** May be cut when there is no room, down to so many columns. */
  readonly least?: number;
}

const GAP = 2;
/** More than this, nobody leaves for the last column. */
const WANTED = 60;
const LEAST_LAST = 8;

/**
 * A table whose last column takes the room that is left. Where there is too little, columns are left out first, then
 * those that may be are cut, and the last one is cut last.
 */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  medium: Medium,
): { readonly head: string; readonly lines: readonly string[] } {
  const { width } = medium;
  const natural = new Map(columns.map((column) => [column, naturalWidth(column, rows)]));
  const shown = [...columns];
  const last = shown.at(-1)!;
  const taken = () => shown.slice(0, -1).reduce((sum, column) => sum + natural.get(column)! + GAP, 0);
  const core = last.core ?? last.text;
  const wanted = Math.min(WANTED, Math.max(...[last.title, ...rows.map(core)].map(widthOf)));
  while (taken() + wanted > width) {
    const leaving = shown
      .filter((column) => column !== last && column.leaves !== undefined)
      .sort((a, b) => b.leaves! - a.leaves!)[0];
    if (!leaving) break;
    shown.splice(shown.indexOf(leaving), 1);
  }
  for (const column of shown) {
    const over = taken() + wanted - width;
    if (over > 0 && column.least !== undefined)
      natural.set(column, Math.max(column.least, natural.get(column)! - over));
  }
  natural.set(last, Math.min(natural.get(last)!, Math.max(LEAST_LAST, width - taken())));
  const line = (cells: (column: Column<Row>) => string, tone: (column: Column<Row>) => Tone | undefined) =>
    shown
      .map((column) => {
        const room = natural.get(column)!;
        const text = cut(cells(column), room, medium);
        const pad = ' '.repeat(Math.max(0, room - widthOf(text)));
        const inked = painted(text, tone(column), medium);
        if (column.isRight) return pad + inked;
        return column === last ? inked : inked + pad;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return {
    head: line(
      ({ title }) => title,
      () => 'dim',
    ),
    lines: rows.map((row) =>
      line(
        ({ text }) => text(row),
        ({ tone }) => tone?.(row),
      ),
    ),
  };
}

function naturalWidth<Row>({ title, text }: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((width, row) => Math.max(width, widthOf(text(row))), widthOf(title));
}
