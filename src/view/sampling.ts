import { mixBits } from './slots.js';

const ALL = 0x1_0000_0000;
/** Sampling never goes below one caller in so many. */
const MAX_HALVINGS = 16;

/** Which callers are looked at, when there are too many rows for all: the same ones in every process. */
export class Sampling {
  /** Hashes below this are kept. */
  #threshold = ALL;
  #halvings = 0;

  /** Share of the callers that is looked at: 1, 1/2, 1/4 … */
  get share(): number {
    return this.#threshold / ALL;
  }

  /** Whether the caller of this address is looked at. */
  keeps(ip: number): boolean {
    return this.#threshold === ALL || mixBits(ip) >>> 0 < this.#threshold;
  }

  /** Looks at half of the callers from now on; false when that goes too far. */
  halve(): boolean {
    if (this.#halvings === MAX_HALVINGS) return false;
    this.#halvings++;
    this.#threshold /= 2;
    return true;
  }

  /** Looks at twice as many from now on. */
  double(): void {
    if (this.#halvings === 0) return;
    this.#halvings--;
    this.#threshold *= 2;
  }
}
