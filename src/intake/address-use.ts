import type { Reader } from './budget.js';

/**
 * What one address takes, over all of its connections. Reports beyond its rate are not refused: its sockets are read
 * later, so that nothing is lost and others do not wait.
 */
export class AddressUse {
  /** Open now. */
  connections = 0;
  readonly #perSecond: () => number;
  readonly #onRested: () => void;
  readonly #readers = new Set<Reader>();
  /** Reports it may still send at once; at most those of a second. Below zero it waits. */
  #left: number | undefined;
  #atMs = performance.now();
  #waiting: NodeJS.Timeout | undefined;

  /** `perSecond`: reports, asked for anew each time; `onRested`: it waits no more. */
  constructor(perSecond: () => number, onRested: () => void) {
    this.#perSecond = perSecond;
    this.#onRested = onRested;
  }

  /** Whether none of its connections is to be read now. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  add(reader: Reader): void {
    this.#readers.add(reader);
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** It has sent so many reports. True when that was too much, and it begins to wait. */
  sent(reports: number): boolean {
    const perSecond = this.#perSecond();
    if (perSecond === Number.POSITIVE_INFINITY) return false;
    const nowMs = performance.now();
    const gained = ((nowMs - this.#atMs) / 1000) * perSecond;
    this.#left = Math.min(perSecond, (this.#left ?? perSecond) + gained) - reports;
    this.#atMs = nowMs;
    if (this.#left >= 0 || this.#waiting) return false;
    this.#waiting = setTimeout(() => this.#goOn(), Math.ceil((-this.#left / perSecond) * 1000)).unref();
    for (const reader of this.#readers) reader.park();
    return true;
  }

  #goOn(): void {
    this.#waiting = undefined;
    for (const reader of this.#readers) reader.unpark();
    this.#onRested();
  }
}
