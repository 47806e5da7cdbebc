import { ListError, type Mutant, type TestSelection } from './mutant.js';
import { runTests } from './tests.js';
import type { Workshop } from './workshop.js';

/** A test that failed because of a mutant. */
export interface Catch {
  readonly file: string;
  readonly title: string;
}

/** What came of a mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /** Empty: it has survived. */
  readonly caughtBy: readonly Catch[];
  /** Failures that belong to no test; they catch nothing, since nobody could tell what is broken. */
  readonly otherFailures: readonly string[];
  /** Tests were ended by their bound. */
  readonly isTimedOut: boolean;
  /** Why it could not be tried: the list does not fit the source any more. */
  readonly problem?: string;
  readonly seconds: number;
}

/** Tries mutants one after the other on the tests that are to catch them. */
export class Trial {
  readonly #workshop: Workshop;
  readonly #signal: AbortSignal;
  /** Titles of the tests that pass when nothing is broken, by selection. */
  readonly #titles = new Map<string, readonly string[]>();

  constructor(workshop: Workshop, signal: AbortSignal) {
    this.#workshop = workshop;
    this.#signal = signal;
  }

  /** Runs all tests of these mutants with nothing broken. Throws ListError when one fails, or there are none. */
  async baseline(mutants: readonly Mutant[], say: (text: string) => void): Promise<void> {
    await this.#workshop.compile('the project');
    for (const selection of mutants.flatMap(({ tests }) => tests)) {
      if (this.#titles.has(idOf(selection))) continue;
      const { passed, failed, isTimedOut } = await runTests(this.#workshop, selection, this.#signal);
      const what = [selection.file, ...(selection.titles ?? [])].join(', ');
      if (failed.length > 0 || isTimedOut)
        throw new ListError(`with nothing broken, tests fail already in ${what}: ${failed.join('; ')}`);
      if (passed.length === 0) throw new ListError(`there are no such tests: ${what}`);
      this.#titles.set(idOf(selection), passed);
      say(`nothing broken: ${passed.length} tests of ${selection.file} pass`);
    }
  }

  async run(mutant: Mutant): Promise<Verdict> {
    const began = performance.now();
    const caughtBy: Catch[] = [];
    const otherFailures: string[] = [];
    let isTimedOut = false;
    let problem: string | undefined;
    try {
      this.#workshop.change(mutant);
      await this.#workshop.compile(mutant.name);
      for (const selection of mutant.tests) {
        const titles = this.#titles.get(idOf(selection));
        const outcome = await runTests(this.#workshop, selection, this.#signal, titles);
        caughtBy.push(...outcome.failed.map((title) => ({ file: selection.file, title })));
        otherFailures.push(...outcome.otherFailures);
        isTimedOut ||= outcome.isTimedOut;
      }
    } catch (error) {
      // The others are tried all the same.
      if (!(error instanceof ListError)) throw error;
      problem = error.message;
    } finally {
      this.#workshop.repair();
    }
    const seconds = (performance.now() - began) / 1000;
    return {
      ...{ mutant, caughtBy, otherFailures, isTimedOut, seconds },
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

function idOf(selection: TestSelection): string {
  return JSON.stringify(selection);
}
