import type { Journal } from '../journal/contract.js';
import { CMDID, MODID, WORDS_PER_ROW } from '../model/row.js';
import { replayRecord } from './apply.js';
import { partitionOf } from './hash.js';
import { PendingRows } from './pending.js';
import { RowMap } from './rowmap.js';

/**
 * Moves what is pending to the partitions of another `writers.count`, before any report is taken. A service's rows
 * come from one partition and go to one partition, so their order is not touched. Returns how many rows moved.
 *
 * Holds all pending rows in memory, as the writers will right afterwards.
 */
export async function moveToPartitions(journal: Journal, writers: number): Promise<number> {
  const targets = Array.from({ length: writers }, () => new RowMap());
  let moved = 0;
  for (let partition = 0; partition < journal.layout.writers; partition++) {
    const pending = new PendingRows();
    for await (const { event } of journal.partition(partition).replay()) {
      if (event.kind === 'rows') pending.restore(event.rows);
      if (event.kind === 'record') replayRecord(pending, event.record);
    }
    const rows = pending.copySlots(0, pending.slotEnd);
    for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
      const target = targets[partitionOf(rows[at + MODID]!, rows[at + CMDID]!, writers)]!;
      const slot = target.put(rows, at);
      target.words[(slot + 1) * WORDS_PER_ROW - 1] = rows[at + WORDS_PER_ROW - 1]!;
    }
    moved += pending.keys;
  }
  await journal.relayout(writers, (partition) => targets[partition]!.rows());
  return moved;
}
