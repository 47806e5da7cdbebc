import type { StepHook, WriterStep } from '../actors/steps.js';
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
  /** How often the step is passed unharmed first; never unless given. */
  readonly after?: number;
}

/** Which crashes of `WriterCrashes.atRandom`. */
export interface RandomCrashes {
  readonly seed: number;
  /** Share of the steps at which a writer crashes, 0 … 1. */
  readonly share: number;
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
  #random: (RandomCrashes & { readonly next: () => number })[] = [];

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

  /** Crashes writers at random, until `heal`. Throws RangeError when `share` is not between 0 and 1. */
  atRandom(options: RandomCrashes): void {
    if (!(options.share >= 0 && options.share <= 1))
      throw new RangeError(`share is ${options.share}: give a number from 0 to 1`);
    this.#random.push({ ...options, next: seeded(options.seed) });
  }

  /** Ends all crashes that were asked for. The counts stay. */
  heal(): void {
    this.#planned = [];
    this.#random = [];
  }

  #pass(step: WriterStep, partition: number): void {
    if (this.#isPlanned(step, partition) || this.#isDrawn(step, partition)) {
      this.#counts.set(step, this.countAt(step) + 1);
      this.#inRecovery.set(partition, step === 'recovery' ? this.#recoveries(partition) + 1 : 0);
      throw new Error(`writer ${partition} was crashed at "${step}"`);
    }
    if (step !== 'recovery') this.#inRecovery.set(partition, 0);
  }

  #isPlanned(step: WriterStep, partition: number): boolean {
    for (const plan of this.#planned) {
      if (!plan.steps.includes(step) || (plan.partition ?? partition) !== partition) continue;
      if (plan.after > 0) {
        plan.after--;
        continue;
      }
      if (plan.times === 0) continue;
      plan.times--;
      return true;
    }
    return false;
  }

  #isDrawn(step: WriterStep, partition: number): boolean {
    for (const { next, share, steps, partition: only } of this.#random) {
      if ((steps && !steps.includes(step)) || (only ?? partition) !== partition) continue;
      if (step === 'recovery' && this.#recoveries(partition) >= MAX_RECOVERY_CRASHES_IN_A_ROW) continue;
      if (next() < share) return true;
    }
    return false;
  }

  #recoveries(partition: number): number {
    return this.#inRecovery.get(partition) ?? 0;
  }
}
