import type { DeadLetterFilter, DeadLetterOutcome, LetterJson } from '../../model/dead-letter.js';

/** The dead letters of a reporter, running or not. */
export interface LetterTool {
  /** Whether a reporter runs, and stores what is replayed. */
  readonly isRunning: boolean;
  list(
    filter: DeadLetterFilter,
    offset: number,
    limit: number,
  ): Promise<{ readonly total: number; readonly letters: readonly LetterJson[] }>;
  settle(action: 'replay' | 'drop', filter: DeadLetterFilter): Promise<DeadLetterOutcome>;
  close(): Promise<void>;
}
