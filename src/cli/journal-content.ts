import type { JournalReader, PartitionSurvey } from '../journal/contract.js';
import { messageOf } from '../model/errors.js';
import { replayRecord } from '../partition/apply.js';
import { PendingRows } from '../partition/pending.js';

/** What can read partitions: a reader, or a journal that is open. */
export interface Surveyed extends Pick<JournalReader, 'survey'> {
  readonly layout: { readonly writers: number };
}

/** A partition as it is stored, and what a writer would make of it. */
export interface PartitionContent {
  readonly survey: PartitionSurvey;
  readonly pending: PendingRows;
}

/** Reads a partition and replays what can be read; changes nothing. */
export async function readPartition(journal: Surveyed, partition: number): Promise<PartitionContent> {
  const pending = new PendingRows();
  const unfit: string[] = [];
  const survey = await journal.survey(partition, (event) => {
    try {
      if (event.kind === 'rows') pending.restore(event.rows);
      if (event.kind === 'record') replayRecord(pending, event.record);
    } catch (error) {
      unfit.push(messageOf(error));
    }
  });
  const place = `partition ${partition}`;
  const problems = unfit.map((why) => ({ place, problem: `a record cannot be applied: ${why}` }));
  return { survey: { ...survey, problems: [...survey.problems, ...problems] }, pending };
}

/** All partitions, one at a time: only one map is in memory. */
export async function* readPartitions(journal: Surveyed): AsyncGenerator<PartitionContent> {
  for (let partition = 0; partition < journal.layout.writers; partition++)
    yield await readPartition(journal, partition);
}
