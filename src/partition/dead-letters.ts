import { type DeadLetters, letterKey } from '../journal/lmdb/dead-letters.js';
import type { PartitionJournal } from '../journal/lmdb/partition.js';
import { EMPTY_RECORD, type JournalEntry } from '../journal/record.js';
import {
  addOutcomes,
  DeadLetterError,
  type DeadLetterFilter,
  type DeadLetterOutcome,
  NOTHING_DONE,
} from '../model/dead-letter.js';
import { WORDS_PER_ROW } from '../model/row.js';
import { partitionOf } from './hash.js';

/** What is to become of some dead letters of one partition. */
export interface LetterOrder {
  readonly action: 'replay' | 'drop';
  /** Packed keys. */
  readonly keys: readonly Int32Array[];
  /** Which of their letters are meant, by what they are when the order is carried out. */
  readonly filter: DeadLetterFilter;
}

/** Who settles dead letters: the writer of the partition, or whoever holds the lock of a stopped one's journal. */
export interface LetterSettler {
  readonly journal: PartitionJournal;
  isPending(key: Int32Array): boolean;
  /** Makes the record of replayed rows durable, and applies it. */
  commit(entry: JournalEntry): Promise<void>;
}

/** Replays or drops the dead letters of some keys of one partition. */
export async function settleDeadLetters(
  { action, keys, filter }: LetterOrder,
  { journal, isPending, commit }: LetterSettler,
): Promise<DeadLetterOutcome> {
  if (action === 'drop') return { ...NOTHING_DONE, dropped: await journal.drop(keys, filter) };
  const { rows, released, kept } = journal.redeliver(keys, filter, isPending);
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
 * Settles all dead letters that the filter means, some at a time, each partition's by itself. A letter that comes
 * while this goes on may be left out. Rejects with DeadLetterError, which says what was done by then.
 */
export async function settleEach(
  letters: DeadLetters,
  filter: DeadLetterFilter,
  partitions: number,
  settle: SettleKeys,
): Promise<DeadLetterOutcome> {
  let done = NOTHING_DONE;
  for await (const some of letters.read(filter)) {
    const keys = new Map<number, Int32Array[]>();
    for (const letter of some) {
      const partition = partitionOf(letter.row.modid, letter.row.cmdid, partitions);
      keys.set(partition, [...(keys.get(partition) ?? []), letterKey(letter)]);
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
