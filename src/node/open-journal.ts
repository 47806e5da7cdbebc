import type { Journal } from '../journal/contract.js';
import { openJournal as open } from '../journal/open.js';
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
  const journal = await open({
    dir: config.journal.dir,
    writers,
    events,
    faults: options.journalFaults,
  });
  teardown.add('the journal', async () => {
    await journal.close();
    status.enter('stopped');
  });
  const from = journal.layout.writers;
  if (from !== writers) {
    const rows = await moveToPartitions(journal, writers);
    events.emit({ type: 'partitions-changed', from, to: writers, rows });
  }
  status.add({ deadLetters: () => journal.deadLetters.size, quarantined: () => journal.quarantined });
  return journal;
}
