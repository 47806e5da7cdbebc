import { signal } from '@preact/signals';
import type { ReporterAnswer } from './reporter-answer.js';
import { AskError, ask } from './request.js';

/** How the reporter is; undefined until it said so. */
export const reporter = signal<ReporterAnswer | undefined>(undefined);

export function noteReporter(change: Partial<ReporterAnswer>): void {
  const next = { ...reporter.value, ...change };
  const { state, problems = [] } = next;
  if (state !== undefined) reporter.value = { ...next, state, problems };
}

/** Rejects with AskError when the reporter does not answer. An old one without this path is left alone. */
export async function askReporter(): Promise<void> {
  try {
    noteReporter(await ask<ReporterAnswer>('api/reporter'));
  } catch (error) {
    if (!(error instanceof AskError) || error.status === 0) throw error;
  }
}
