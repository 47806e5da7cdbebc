import type { Answered, Reporter, Subject } from './asking.js';
import type { Medium } from './terminal-style.js';

export interface WatchOptions {
  readonly reporter: Reporter;
  readonly subject: Subject;
  readonly everyMs: number;
  /** What standard output can show now; windows change their size. */
  readonly medium: () => Medium;
  readonly show: (answered: Answered) => readonly string[];
  /** Blocks one below the other on a terminal, too. */
  readonly isPlain: boolean;
}
