import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, JournalOptions } from '../journal/contract.js';
import { openJournal as open } from '../journal/open.js';
import { ReporterError } from '../model/errors.js';
import type { Logger } from '../model/log.js';
import { moveToPartitions } from '../partition/relayout.js';
import type { Foundation } from './foundation.js';

/**
 * Opens the journal, and moves what is pending in it when `writers.count` has changed. Before the store is touched:
 * a second process is turned away here. Rejects with ReporterError JOURNAL_*.
 */
export async function openJournal({
  config,
  options,
  ways,
  logger,
  events,
  status,
  teardown,
}: Foundation): Promise<Journal> {
  const writers = config.writers.count;
  const journal = await openWhenFree(
    { dir: config.journal.dir, writers, events, faults: options.journalFaults },
    ways.journalWaitMs,
    logger,
  );
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

/** How often a journal that is in use is tried again. */
const RETRY_MS = 50;

/** Waits for a process that ends, at most `waitMs`. */
async function openWhenFree(options: JournalOptions, waitMs: number, logger: Logger): Promise<Journal> {
  const deadlineMs = performance.now() + waitMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(options);
    } catch (error) {
      const isInUse = error instanceof ReporterError && error.code === 'JOURNAL_IN_USE';
      if (!isInUse || performance.now() >= deadlineMs) throw error;
      if (attempt === 0) logger.info({ waitMs, why: error.message }, 'waiting for the journal');
      await sleep(RETRY_MS);
    }
  }
}
