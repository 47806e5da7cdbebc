import { Records } from './slots.js';

/** Words of a pair; the first two are its key. */
export const PAIR_WORDS = 8;
export const PAIR_SERVICE = 0;
export const PAIR_VOICE = 1;
/** Rows it has. */
export const PAIR_ROWS = 2;
/** Of these: fresh ones. */
export const PAIR_FRESH = 3;
/** Of these: hot ones. */
export const PAIR_HOT = 4;
/** Second it was last heard. */
export const PAIR_HEARD = 5;
/** Next pair of the same service, plus 1; 0 = last. */
export const NEXT_OF_SERVICE = 6;
/** Next pair of the same voice, plus 1; 0 = last. */
export const NEXT_OF_VOICE = 7;

/** What one voice says of one service: its rows, counted. */
export class Pairs {
  readonly records = new Records(2, PAIR_WORDS);
}
