import type { DeadLetterFilter, DeadLetterOutcome, LetterJson } from '../../model/dead-letter.js';

/** Reads the dead letters of a reporter, running or not. */
export interface LetterReader {
  list(
    filter: DeadLetterFilter,
    offset: number,
    limit: number,
  ): Promise<{ readonly total: number; readonly letters: readonly LetterJson[] }>;
  close(): Promise<void>;
}

/** The dead letters of a reporter, running or not. */
export interface LetterTool extends LetterReader {
  /** Whether a reporter runs, and stores what is replayed. */
  readonly isRunning: boolean;
  settle(action: 'replay' | 'drop', filter: DeadLetterFilter): Promise<DeadLetterOutcome>;
}
