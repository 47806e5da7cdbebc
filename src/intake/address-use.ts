import type { AddressPause } from '../model/traffic.js';
import type { Reader } from './budget.js';

/** How often it is looked whether there is room for keys again. */
const LOOK_MS = 100;
/** Limits may be raised while an address waits: it is looked again after so long. */
const LONGEST_WAIT_MS = 1000;

export interface AddressLimits {
  /** Reports it may send a second; asked for anew each time. */
  readonly reportsPerSecond: () => number;
  /** Whether it may send more keys; the number is its own in the journal. */
  readonly hasRoom: (peerNumber: number) => boolean;
  /** It waits no more. */
  readonly onRested: () => void;
}

/**
 * What one address takes, over all of its connections. What is beyond its limits is not refused: its sockets are read
 * later, so that nothing is lost and others do not wait.
 */
export class AddressUse {
  /** Open now. */
  connections = 0;
  readonly #limits: AddressLimits;
  readonly #readers = new Set<Reader>();
  /** Reports it may still send at once; at most those of a second. Below zero it waits. */
  #left: number | undefined;
  #atMs = performance.now();
  #waiting: NodeJS.Timeout | undefined;
  #peerNumber = 0;

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Whether none of its connections is to be read now. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Milliseconds until it may send at once as much as one that has never sent anything. */
  get restMs(): number {
    this.#spend(0);
    const perSecond = this.#limits.reportsPerSecond();
    if (this.#left === undefined || perSecond === Number.POSITIVE_INFINITY) return 0;
    return Math.ceil(((perSecond - this.#left) / perSecond) * 1000);
  }

  add(reader: Reader): void {
    this.#readers.add(reader);
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /**
   * It has sent so many reports; `peerNumber` is its own in the journal, 0 as long as it has none. Tells why it begins to
   * wait, when that was too much.
   */
  sent(reports: number, peerNumber: number): AddressPause | undefined {
    // Reports without rows come before it has one.
    if (peerNumber > 0) this.#peerNumber = peerNumber;
    const waitMs = this.#spend(reports);
    if (this.#waiting) return undefined;
    if (waitMs > 0) return this.#wait(waitMs, 'reports');
    return this.#isFull() ? this.#wait(LOOK_MS, 'keys') : undefined;
  }

  /** Milliseconds until what was sent is within the rate. */
  #spend(reports: number): number {
    const perSecond = this.#limits.reportsPerSecond();
    if (perSecond === Number.POSITIVE_INFINITY) return 0;
    const nowMs = performance.now();
    const gained = ((nowMs - this.#atMs) / 1000) * perSecond;
    this.#left = Math.min(perSecond, (this.#left ?? perSecond) + gained) - reports;
    this.#atMs = nowMs;
    return Math.max(0, Math.ceil((-this.#left / perSecond) * 1000));
  }

  #isFull(): boolean {
    return this.#peerNumber > 0 && !this.#limits.hasRoom(this.#peerNumber);
  }

  #wait(ms: number, why: AddressPause): AddressPause {
    this.#waiting = setTimeout(() => this.#goOn(), Math.min(ms, LONGEST_WAIT_MS)).unref();
    for (const reader of this.#readers) reader.park();
    return why;
  }

  #goOn(): void {
    this.#waiting = undefined;
    const waitMs = this.#spend(0);
    if (waitMs > 0) {
      this.#wait(waitMs, 'reports');
      return;
    }
    if (this.connections > 0 && this.#isFull()) {
      this.#wait(LOOK_MS, 'keys');
      return;
    }
    for (const reader of this.#readers) reader.unpark();
    this.#limits.onRested();
  }
}
