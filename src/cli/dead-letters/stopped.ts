import { Journal } from '../../journal/lmdb/journal.js';
import { requireJournal } from '../../journal/lmdb/reader.js';
import { letterJson } from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
import { replayRecord } from '../../partition/apply.js';
import { settleDeadLetters, settleEach } from '../../partition/dead-letters.js';
import { readPartition } from '../journal/content.js';
import type { LetterTool } from './tool.js';

/** Works on the journal of a stopped reporter, under its lock. Throws ReporterError, JOURNAL_IN_USE among others. */
export function openStopped(dir: string, note: (text: string) => void): LetterTool {
  requireJournal(dir);
  const journal = Journal.open({
    dir,
    // Of a new journal; this one is there.
    writers: 1,
    onFault: (error) =>
      note(
        error
          ? `the journal cannot be written, trying again: ${error.message}`
          : 'the journal can be written again',
      ),
  });
  const { deadLetters } = journal;
  const partitions = new Map<number, StoppedPartition>();
  const partition = (index: number) => {
    const known = partitions.get(index) ?? new StoppedPartition(journal, index);
    partitions.set(index, known);
    return known;
  };
  return {
    isRunning: false,
    list: async (filter, offset, limit) => {
      const { total, letters } = await deadLetters.page(filter, offset, limit);
      return { total, letters: letters.map(letterJson) };
    },
    settle: (action, filter) =>
      settleEach(deadLetters, filter, journal.layout.writers, (index, keys) =>
        settleDeadLetters({ action, keys, filter }, partition(index)),
      ),
    close: () => journal.close(),
  };
}

/** Does for a partition what its writer would do: see `redeliver` for why it may. */
class StoppedPartition {
  readonly journal;
  readonly #pending;
  #sequence: number;

  constructor(journal: Journal, index: number) {
    const { survey, pending } = readPartition(journal, index);
    const [problem] = survey.problems;
    if (problem) {
      throw new ReporterError(
        'JOURNAL_CORRUPT',
        `the journal is damaged (${problem.place}: ${problem.problem}), so its pending rows are not known: ` +
          'start the reporter, which puts the damage into quarantine, and try again; journal verify lists the damage',
      );
    }
    this.journal = journal.partition(index);
    this.#pending = pending;
    this.#sequence = survey.lastSequence;
  }

  readonly isPending = (key: Int32Array) => this.#pending.has(key, 0);

  readonly commit: Parameters<typeof settleDeadLetters>[1]['commit'] = async (entry) => {
    await this.journal.append(++this.#sequence, entry);
    replayRecord(this.#pending, entry.record);
  };
}
