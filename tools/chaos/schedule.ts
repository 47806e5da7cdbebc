/** What the schedule must know of a kind of fault. */
export interface FaultSpec {
  readonly name: string;
  /** Faults of one group are never in force at the same time; all others may overlap. */
  readonly group: string;
  /** How long it lasts, in milliseconds, at least and at most. */
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** A fault at a time of its wave, milliseconds after the wave began. */
export interface PlannedFault {
  readonly name: string;
  readonly group: string;
  readonly beginMs: number;
  readonly endMs: number;
  /** Of whatever else it decides by chance: what others do in the meantime changes nothing in that. */
  readonly seed: number;
}

/**
 * How a wave ends. The agents fall silent in all of them, and then every key is looked at.
 *
 * - `calm`: everything works again, and the same process stores what is left.
 * - `drain`: with the database away and a backlog, the reporter is stopped in order and started again.
 * - `quiet kill`: with the database away, everything sent is journaled; then the reporter is killed with -9.
 * - `hot kill`: with the database away, the reporter is killed with -9 while agents send.
 */
export const ENDINGS = ['calm', 'quiet kill', 'drain', 'hot kill'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface Wave {
  readonly lengthMs: number;
  /** In the order in which they begin. */
  readonly faults: readonly PlannedFault[];
  readonly ending: Ending;
  /** `writers.count` of the reporter that starts in the ending. */
  readonly writers: number;
  readonly seed: number;
}

/** A deck of cards: everything comes once, in random order, before anything comes again. */
export class Deck<Card> {
  readonly #cards: readonly Card[];
  readonly #random: () => number;
  #left: Card[] = [];

  constructor(cards: readonly Card[], random: () => number) {
    this.#cards = cards;
    this.#random = random;
  }

  deal(): Card {
    if (this.#left.length === 0) this.#left = shuffled(this.#cards, this.#random);
    return this.#left.pop()!;
  }

  /** Puts a card back: it comes next. */
  putBack(card: Card): void {
    this.#left.push(card);
  }
}

export interface ScheduleOptions {
  readonly random: () => number;
  readonly specs: readonly FaultSpec[];
  readonly waveMs: number;
  readonly faultsPerWave: number;
  /** How much of the room between its shortest and its longest a fault takes, 0 … 1. */
  readonly reach: number;
  /** What `writers.count` is changed to. */
  readonly writers: readonly number[];
}

/** Tries to find room for a fault among those of its group. */
const TRIES = 30;

/** The plan of a run, wave by wave, without end. The same random numbers give the same plan. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #faults: Deck<FaultSpec>;
  readonly #endings: Deck<Ending>;
  readonly #writers: Deck<number>;

  constructor(options: ScheduleOptions) {
    const { random, specs, writers } = options;
    this.#options = options;
    this.#faults = new Deck(specs, random);
    this.#endings = new Deck(ENDINGS, random);
    this.#writers = new Deck(writers, random);
  }

  next(): Wave {
    const { random, waveMs, faultsPerWave } = this.#options;
    const planned: PlannedFault[] = [];
    const homeless: FaultSpec[] = [];
    for (let count = 0; count < faultsPerWave; count++) {
      const spec = this.#faults.deal();
      const fault = this.#place(spec, planned);
      if (fault) planned.push(fault);
      else homeless.push(spec);
    }
    for (const spec of homeless.reverse()) this.#faults.putBack(spec);
    return {
      lengthMs: waveMs,
      faults: planned.sort((a, b) => a.beginMs - b.beginMs),
      ending: this.#endings.deal(),
      writers: this.#writers.deal(),
      seed: seedFrom(random),
    };
  }

  /** A time at which no other fault of its group is in force; undefined when none was found. */
  #place(spec: FaultSpec, others: readonly PlannedFault[]): PlannedFault | undefined {
    const { random, waveMs, reach } = this.#options;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const lasts = spec.shortestMs + random() * reach * (spec.longestMs - spec.shortestMs);
      const beginMs = Math.floor(random() * Math.max(0, waveMs - lasts));
      const endMs = Math.min(waveMs, Math.ceil(beginMs + lasts));
      const isFree = others.every(
        (other) => other.group !== spec.group || other.endMs <= beginMs || endMs <= other.beginMs,
      );
      if (isFree) return { name: spec.name, group: spec.group, beginMs, endMs, seed: seedFrom(random) };
    }
    return undefined;
  }
}

function seedFrom(random: () => number): number {
  return Math.floor(random() * 0x1_0000_0000);
}

function shuffled<Card>(cards: readonly Card[], random: () => number): Card[] {
  const all = [...cards];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}
