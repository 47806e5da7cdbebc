import type { Journal, PartitionJournal } from '../../journal/contract.js';
import { openExistingJournal, readJournal } from '../../journal/open.js';
import { letterJson } from '../../model/dead-letter.js';
import { ReporterError } from '../../model/errors.js';
import type { EventSink } from '../../observe/events.js';
import { replayRecord } from '../../partition/apply.js';
import {
  type DeadLetterSettler,
  pageOfDeadLetters,
  settleDeadLetters,
  settleEach,
} from '../../partition/dead-letters.js';
import { PendingRows } from '../../partition/pending.js';
import { readPartition } from '../journal-content.js';
import type { LetterReader, LetterTool } from './tool.js';

/** Works on the journal of a stopped reporter, under its lock. Rejects with ReporterError, JOURNAL_IN_USE among others. */
export async function openStopped(dir: string, note: (text: string) => void): Promise<LetterTool> {
  const journal = await openExistingJournal({ dir, events: notesOf(note) });
  const { deadLetters } = journal;
  const partitions = new Map<number, Promise<StoppedPartition>>();
  const partition = (index: number) => {
    const known = partitions.get(index) ?? StoppedPartition.open(journal, index);
    partitions.set(index, known);
    return known;
  };
  return {
    isRunning: false,
    list: async (filter, offset, limit) => {
      const { total, letters } = await pageOfDeadLetters(deadLetters, filter, offset, limit);
      return { total, letters: letters.map(letterJson) };
    },
    settle: (action, filter) =>
      settleEach(deadLetters, filter, journal.layout.writers, async (index, keys) =>
        settleDeadLetters({ action, keys, filter }, await partition(index)),
      ),
    close: () => journal.close(),
  };
}

/** Reads the journal of a stopped reporter, which need not be writable. Rejects as `openStopped` does. */
export async function readStopped(dir: string): Promise<LetterReader> {
  const journal = await readJournal(dir);
  return {
    list: async (filter, offset, limit) => {
      const { total, letters } = await pageOfDeadLetters(journal.deadLetters, filter, offset, limit);
      return { total, letters: letters.map(letterJson) };
    },
    close: () => journal.close(),
  };
}

/** Says why a command takes long. */
function notesOf(note: (text: string) => void): EventSink {
  return {
    emit: (event) => {
      if (event.type !== 'journal-state') return;
      note(
        event.state === 'failing'
          ? `the journal cannot be written, trying again: ${event.error.message}`
          : 'the journal can be written again',
      );
    },
  };
}

/** Does for a partition what its writer would do: see `redeliver` for why it may. */
class StoppedPartition implements DeadLetterSettler {
  readonly journal: PartitionJournal;
  readonly #pending = new PendingRows();
  #sequence = 0;

  private constructor(journal: PartitionJournal) {
    this.journal = journal;
  }

  /** Rejects with JOURNAL_CORRUPT when something is damaged, which a replay would put into quarantine. */
  static async open(journal: Journal, index: number): Promise<StoppedPartition> {
    const { survey } = await readPartition(journal, index);
    const [problem] = survey.problems;
    if (problem) {
      throw new ReporterError(
        'JOURNAL_CORRUPT',
        `the journal is damaged (${problem.place}: ${problem.problem}), so its pending rows are not known: ` +
          'start the reporter, which puts the damage into quarantine, and try again; journal verify lists the damage',
      );
    }
    const partition = new StoppedPartition(journal.partition(index));
    for await (const { sequence, event } of partition.journal.replay()) {
      if (event.kind === 'rows') partition.#pending.restore(event.rows);
      if (event.kind === 'record') replayRecord(partition.#pending, event.record);
      partition.#sequence = sequence;
    }
    return partition;
  }

  readonly isPending = (key: Int32Array) => this.#pending.has(key, 0);

  readonly commit: DeadLetterSettler['commit'] = async (entry) => {
    await this.journal.append(++this.#sequence, entry);
    replayRecord(this.#pending, entry.record);
  };
}
