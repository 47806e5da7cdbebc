import type { DeadLetters, PartitionJournal } from '../journal/contract.js';
import { EMPTY_RECORD, type JournalEntry } from '../journal/record.js';
import {
  addOutcomes,
  type DeadLetter,
  DeadLetterError,
  type DeadLetterFilter,
  type DeadLetterOutcome,
  type DeadLetterPage,
  NOTHING_DONE,
} from '../model/dead-letter.js';
import { RowBatch, WORDS_PER_KEY, WORDS_PER_ROW } from '../model/row.js';
import { partitionOf } from './hash.js';
import { keysMeant, redeliver } from './redelivery.js';

/** What is to become of some dead letters of one partition. */
export interface DeadLetterOrder {
  readonly action: 'replay' | 'drop';
  /** Packed keys. */
  readonly keys: readonly Int32Array[];
  /** Which of their dead letters are meant, by what they are when the order is carried out. */
  readonly filter: DeadLetterFilter;
}

/** Who settles dead letters: the writer of the partition, or whoever holds the lock of a stopped one's journal. */
export interface DeadLetterSettler {
  readonly journal: PartitionJournal;
  isPending(key: Int32Array): boolean;
  /** Makes the record of replayed rows durable, and applies it. */
  commit(entry: JournalEntry): Promise<void>;
}

/** Replays or drops the dead letters of some keys of one partition. */
export async function settleDeadLetters(
  { action, keys, filter }: DeadLetterOrder,
  { journal, isPending, commit }: DeadLetterSettler,
): Promise<DeadLetterOutcome> {
  if (action === 'drop') {
    const meant = await keysMeant(journal, keys, filter);
    await journal.release(meant);
    return { ...NOTHING_DONE, dropped: meant.length };
  }
  const { rows, released, kept } = await redeliver(journal, keys, filter, isPending);
  const replayed = rows.length / WORDS_PER_ROW;
  if (replayed === 0) {
    await journal.release(released);
  } else {
    // It carries no batch of the router's: `received` alone says that these rows came in.
    const record = { ...EMPTY_RECORD, at: Date.now(), received: replayed, rows };
    await commit({ record, refusals: [], released });
  }
  return { ...NOTHING_DONE, replayed, superseded: released.length - replayed, kept };
}

/** Settles the dead letters of keys of one partition. */
export type SettleKeys = (partition: number, keys: readonly Int32Array[]) => Promise<DeadLetterOutcome>;

/**
 * Settles all dead letters that the filter means, some at a time, each partition's by itself. One that comes
 * while this goes on may be left out. Rejects with DeadLetterError, which says what was done by then.
 */
export async function settleEach(
  deadLetters: DeadLetters,
  filter: DeadLetterFilter,
  partitions: number,
  settle: SettleKeys,
): Promise<DeadLetterOutcome> {
  let done = NOTHING_DONE;
  for await (const some of deadLetters.read(filter)) {
    const keys = new Map<number, Int32Array[]>();
    for (const deadLetter of some) {
      const partition = partitionOf(deadLetter.row.modid, deadLetter.row.cmdid, partitions);
      keys.set(partition, [...(keys.get(partition) ?? []), keyOfDeadLetter(deadLetter)]);
    }
    const outcomes = await Promise.allSettled([...keys].map(([partition, its]) => settle(partition, its)));
    const reasons: string[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') done = addOutcomes(done, outcome.value);
      else reasons.push((outcome.reason as Error).message);
    }
    if (reasons.length > 0) throw new DeadLetterError(reasons.join('; '), done);
  }
  return done;
}

/** Some of the dead letters that the filter means, by primary key, and how many there are. */
export async function pageOfDeadLetters(
  deadLetters: DeadLetters,
  filter: DeadLetterFilter,
  offset: number,
  limit: number,
): Promise<DeadLetterPage> {
  const letters: DeadLetter[] = [];
  let total = 0;
  for await (const some of deadLetters.read(filter)) {
    const from = Math.max(0, offset - total);
    letters.push(...some.slice(from, from + limit - letters.length));
    total += some.length;
  }
  return { total, letters };
}

/** Packed key of a dead letter. */
export function keyOfDeadLetter({ row }: DeadLetter): Int32Array {
  return RowBatch.from([row]).words.slice(0, WORDS_PER_KEY);
}
