import type { Journal, JournalOptions, JournalReader } from './contract.js';
import { LmdbJournal } from './lmdb/journal.js';
import { LmdbJournalReader, requireJournal } from './lmdb/reader.js';

/** The only place that knows which engine is behind the contract. */

/**
 * Opens or creates a journal, and removes what a kill during a change of its layout left behind. Rejects with
 * ReporterError: JOURNAL_IN_USE, JOURNAL_VERSION, or JOURNAL_UNUSABLE when the folder cannot be created, read or
 * written, or holds something else.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const journal = LmdbJournal.open(options);
  try {
    await journal.tidy();
    return journal;
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** As `openJournal`; rejects with JOURNAL_UNUSABLE when there is none. */
export async function openExistingJournal(options: Omit<JournalOptions, 'writers'>): Promise<Journal> {
  requireJournal(options.dir);
  // Of a new journal; this one is there.
  return await openJournal({ ...options, writers: 1 });
}

/**
 * Opens the journal of a stopped reporter to be read. Rejects with ReporterError: JOURNAL_UNUSABLE when there is no
 * journal in `dir` or it cannot be read, JOURNAL_IN_USE, JOURNAL_VERSION.
 */
export async function readJournal(dir: string): Promise<JournalReader> {
  return LmdbJournalReader.open(dir);
}
