import type { HostState, Level } from '../../view/shapes.js';

/** What a cell of the matrix says: a verdict, or that the caller never reported the host. */
export type CellState =
  | 'overloaded'
  | 'recovering'
  | 'failing'
  | 'ok'
  | 'idle'
  | 'stale'
  | 'withdrawn'
  | 'never';

const CELLS: Readonly<Record<string, CellState>> = {
  O: 'overloaded',
  o: 'recovering',
  F: 'failing',
  k: 'ok',
  i: 'idle',
  s: 'stale',
  w: 'withdrawn',
};

export function cellState(letter: string): CellState {
  return CELLS[letter] ?? 'never';
}

/** How bad something looks: which shape and colour it has. */
export type Tone = Level | 'quiet';

const TONES: Readonly<Record<HostState, Tone>> = {
  overloaded: 'overloaded',
  disputed: 'failing',
  failing: 'failing',
  noted: 'noted',
  ok: 'ok',
  idle: 'quiet',
  stale: 'quiet',
  withdrawn: 'quiet',
};

export function toneOf(state: HostState): Tone {
  return TONES[state];
}

/** `[true, true, false …]`: of at most `most` blocks, how many are bad; one at least when any is. */
export function blocksOf(bad: number, total: number, most = 10): boolean[] {
  if (total <= 0) return [];
  const blocks = Math.min(total, most);
  const filled = total <= most ? bad : Math.round((bad / total) * blocks);
  const shown =
    bad === 0 ? 0 : Math.min(blocks, Math.max(1, bad < total ? Math.min(filled, blocks - 1) : blocks));
  return Array.from({ length: blocks }, (_, index) => index < shown);
}
