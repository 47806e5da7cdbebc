import type { Dice } from '../../src/testing/dice.js';
import { EventQueue } from './event-queue.js';
import { CALM, MAX_DELAY_MS, MAX_LATE_READ_MS, type Rates } from './plan.js';

/** Time, and what is on its way; a seed decides what happens to each message. */
export class Network {
  readonly #dice: Dice;
  readonly #queue = new EventQueue<() => void>();
  #rates: Rates;
  #now = 0;
  #outageUntil = 0;
  #unwritableUntil = 0;
  events = 0;

  constructor(rates: Rates, dice: Dice) {
    this.#rates = rates;
    this.#dice = dice;
  }

  get now(): number {
    return this.#now;
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0;
  }

  at(ms: number, act: () => void): void {
    this.#queue.put(ms, act);
  }

  after(ms: number, act: () => void): void {
    this.at(this.#now + ms, act);
  }

  /** What comes next happens. */
  next(): void {
    const next = this.#queue.take();
    if (next === undefined) return;
    this.#now = next.at;
    this.events++;
    next.event();
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    this.#rates = CALM;
    this.#outageUntil = this.#now;
    this.#unwritableUntil = this.#now;
  }

  /** Log and bucket answer nobody, or only who reads. */
  away(kind: 'outage' | 'unwritable', untilMs: number): void {
    if (kind === 'outage') this.#outageUntil = Math.max(this.#outageUntil, untilMs);
    else this.#unwritableUntil = Math.max(this.#unwritableUntil, untilMs);
  }

  send(mayDouble: boolean, atLeastMs: number, arrive: () => void): void {
    const { lost, doubled, delayed } = this.#rates;
    if (this.#dice.chance(lost, 1000)) return;
    const copies = mayDouble && this.#dice.chance(doubled, 1000) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.after(
        atLeastMs + this.#dice.between(1, this.#dice.chance(delayed, 1000) ? MAX_DELAY_MS : 20),
        arrive,
      );
  }

  /** Of log and bucket. `act` gives what brings the answer. */
  ask(isWrite: boolean, atLeastMs: number, act: () => () => void): void {
    this.send(true, atLeastMs, () => {
      if (this.#now < this.#outageUntil || (isWrite && this.#now < this.#unwritableUntil)) return;
      this.send(true, 0, act());
    });
  }

  /** How old what a read shows is. */
  lateMs(): number {
    return this.#dice.chance(this.#rates.lateReads, 1000) ? this.#dice.between(1, MAX_LATE_READ_MS) : 0;
  }
}
