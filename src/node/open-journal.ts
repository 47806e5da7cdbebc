import { Journal } from '../journal/lmdb/journal.js';
import type { EventSink } from '../observe/events.js';
import { moveToPartitions } from '../partition/relayout.js';
import type { Foundation } from './foundation.js';

/**
 * Opens the journal, and moves what is pending in it when `writers.count` has changed. Before the store is touched:
 * a second process is turned away here. Rejects with ReporterError JOURNAL_*.
 */
export async function openJournal({
  config,
  options,
  events,
  status,
  teardown,
}: Foundation): Promise<Journal> {
  const writers = config.writers.count;
  const journal = Journal.open({
    dir: config.journal.dir,
    writers,
    faults: options.journalFaults,
    ...bridge(events),
  });
  teardown.add('the journal', async () => {
    await journal.close();
    status.enter('stopped');
  });
  await journal.tidy();
  const from = journal.layout.writers;
  if (from !== writers) {
    const rows = await moveToPartitions(journal, writers);
    events.emit({ type: 'partitions-changed', from, to: writers, rows });
  }
  status.add({ deadLetters: () => journal.deadLetters.size, quarantined: () => journal.quarantined });
  return journal;
}

function bridge(events: EventSink) {
  let isFailing = false;
  return {
    onFault: (error: Error | undefined) => {
      if (error && !isFailing) events.emit({ type: 'journal-state', state: 'failing', error });
      if (!error && isFailing) events.emit({ type: 'journal-state', state: 'ok' });
      isFailing = error !== undefined;
    },
    onSync: (seconds: number) => events.emit({ type: 'journal-synced', seconds }),
    onQuarantine: (partition: number, sequence: number, error: Error) =>
      events.emit({ type: 'quarantined', partition, sequence, error }),
  };
}
