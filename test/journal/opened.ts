import type { Journal, JournalOptions } from '../../src/journal/contract.js';
import { LmdbJournal } from '../../src/journal/lmdb/journal.js';
import { LmdbJournalReader } from '../../src/journal/lmdb/reader.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { type EventSink, NO_EVENTS, type ReporterEvent } from '../../src/observe/events.js';

/** Opens a journal of lmdb, as a start does, but for what a change of layout may have left behind. */
export function openLmdb(options: Omit<JournalOptions, 'events'> & Partial<JournalOptions>): LmdbJournal {
  return LmdbJournal.open({ events: NO_EVENTS, ...options });
}

export const readLmdb = (dir: string): LmdbJournalReader => LmdbJournalReader.open(dir);

/** All of it, in order. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** All dead letters, by primary key. */
export async function deadLettersOf({ deadLetters }: Pick<Journal, 'deadLetters'>): Promise<DeadLetter[]> {
  return (await all(deadLetters.read({}))).flat();
}

/** The states that a journal tells: what it fails of, `ok` when it can be written again. */
export function journalStates(): { readonly events: EventSink; readonly told: string[]; synced(): number } {
  const told: string[] = [];
  let synced = 0;
  const emit = (event: ReporterEvent) => {
    if (event.type === 'journal-synced') synced++;
    if (event.type === 'journal-state') told.push(event.state === 'ok' ? 'ok' : event.error.message);
    if (event.type === 'quarantined') told.push(`${event.partition} ${event.sequence} ${event.error.name}`);
  };
  return { events: { emit }, told, synced: () => synced };
}
