import type { StepHook, WriterStep } from '../writer/steps.js';
import { seeded } from './random.js';

/** All steps of a writer's life, in the order in which a row meets them. */
export const WRITER_STEPS: readonly WriterStep[] = [
  'before-persist',
  'after-persist',
  'flush',
  'flushed',
  'checkpoint',
  'snapshot',
  'recovery',
];

/** Which crashes of `WriterCrashes.at`. */
export interface CrashOptions {
  /** The writer that crashes; any unless given. */
  readonly partition?: number;
  /** How often; once unless given. `Infinity`: until `heal`. */
  readonly times?: number;
  /** How often the step is passed first, by whichever writer is meant; never unless given. */
  readonly after?: number;
}

/** Which crashes of `WriterCrashes.atRandom`. */
export interface RandomCrashes {
  readonly seed: number;
  /** Share of the steps at which a writer crashes, 0 … 1; none unless given. */
  readonly share?: number;
  /** Share of the recoveries that fail as soon as they begin, besides, 0 … 1; none unless given. */
  readonly recoveries?: number;
  /** At which steps; all unless given. */
  readonly steps?: readonly WriterStep[];
  /** The writer that crashes; any unless given. */
  readonly partition?: number;
}

/** A writer that crashes on one record three times in a row has it put into quarantine: chance stays below. */
const MAX_RECOVERY_CRASHES_IN_A_ROW = 2;

/**
 * Crashes writers of a reporter at chosen steps, or at random ones, as a bug would: its supervisor restarts them.
 *
 *     const crashes = new WriterCrashes();
 *     const reporter = await startReporter(config, { store, atStep: crashes.atStep });
 *     crashes.at('after-persist', { partition: 0 });
 *     await reporter.report(report); // journaled although its writer crashed on it
 *     crashes.count; // 1
 *
 * A crash in `recovery` happens only while a journal is replayed, so it takes another crash, or a start, to come
 * to it. Three crashes in a row on one record put that record into quarantine; `at` does what it is told,
 * `atRandom` keeps below.
 */
export class WriterCrashes {
  /** To be passed to `startReporter`. One object may serve several reporters. */
  readonly atStep: StepHook = (step, partition) => this.#pass(step, partition);
  readonly #counts = new Map<WriterStep, number>();
  readonly #inRecovery = new Map<number, number>();
  #planned: { steps: readonly WriterStep[]; partition: number | undefined; after: number; times: number }[] =
    [];
  #random: (RandomCrashes & {
    readonly share: number;
    readonly recoveries: number;
    readonly next: () => number;
  })[] = [];
  /** Writers whose last step was one of a recovery that went on. */
  readonly #recovering = new Set<number>();

  /** Crashes that were caused so far. */
  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Crashes that were caused at one step so far. */
  countAt(step: WriterStep): number {
    return this.#counts.get(step) ?? 0;
  }

  /** Crashes the writer that next comes to the step, or to one of the steps. Throws RangeError for options that are no numbers ≥ 0. */
  at(step: WriterStep | readonly WriterStep[], options: CrashOptions = {}): void {
    const { partition, times = 1, after = 0 } = options;
    for (const [name, value] of Object.entries({ times, after }))
      if (!(value >= 0)) throw new RangeError(`${name} is ${value}: give a number from 0`);
    const steps = typeof step === 'string' ? [step] : step;
    this.#planned.push({ steps, partition, after, times });
  }

  /** Crashes writers at random, until `heal`. Throws RangeError for shares that are not between 0 and 1. */
  atRandom(options: RandomCrashes): void {
    const { share = 0, recoveries = 0 } = options;
    for (const [name, value] of Object.entries({ share, recoveries }))
      if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is ${value}: give a number from 0 to 1`);
    this.#random.push({ ...options, share, recoveries, next: seeded(options.seed) });
  }

  /** Ends all crashes that were asked for. The counts stay. */
  heal(): void {
    this.#planned = [];
    this.#random = [];
  }

  #pass(step: WriterStep, partition: number): void {
    const begins = step === 'recovery' && !this.#recovering.has(partition);
    if (this.#isPlanned(step, partition) || this.#isDrawn(step, partition, begins)) {
      this.#counts.set(step, this.countAt(step) + 1);
      this.#inRecovery.set(partition, step === 'recovery' ? this.#recoveries(partition) + 1 : 0);
      this.#recovering.delete(partition);
      throw new Error(`writer ${partition} was crashed at "${step}"`);
    }
    if (step === 'recovery') {
      this.#recovering.add(partition);
    } else {
      this.#recovering.delete(partition);
      this.#inRecovery.set(partition, 0);
    }
  }

  #isPlanned(step: WriterStep, partition: number): boolean {
    let isPlanned = false;
    // Each plan counts every pass of its steps, whoever crashes at it.
    for (const plan of this.#planned) {
      if (!plan.steps.includes(step) || (plan.partition ?? partition) !== partition) continue;
      if (plan.after > 0) plan.after--;
      else if (plan.times > 0 && !isPlanned) {
        plan.times--;
        isPlanned = true;
      }
    }
    return isPlanned;
  }

  #isDrawn(step: WriterStep, partition: number, begins: boolean): boolean {
    if (step === 'recovery' && this.#recoveries(partition) >= MAX_RECOVERY_CRASHES_IN_A_ROW) return false;
    for (const { next, share, recoveries, steps, partition: only } of this.#random) {
      if ((only ?? partition) !== partition) continue;
      if (begins && recoveries > 0 && next() < recoveries) return true;
      if (share > 0 && (!steps || steps.includes(step)) && next() < share) return true;
    }
    return false;
  }

  #recoveries(partition: number): number {
    return this.#inRecovery.get(partition) ?? 0;
  }
}
