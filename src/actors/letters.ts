import { type DeadLetters, letterKey } from '../journal/deadletters.js';
import type { PartitionJournal } from '../journal/partition.js';
import { EMPTY_RECORD, type JournalEntry } from '../journal/record.js';
import {
  addOutcomes,
  DeadLetterError,
  type DeadLetterFilter,
  type DeadLetterOutcome,
  NOTHING_DONE,
} from '../model/deadletter.js';
import { WORDS_PER_ROW } from '../model/row.js';
import { partitionOf } from './partition.js';
import type { LetterRequest, WriterMessage } from './protocol.js';
import { type ActorRef, tell } from './system.js';

/** How long a writer may take to settle some dead letters; one that restarts again and again takes longer. */
const ANSWER_MS = 10_000;

/** Who settles dead letters: the writer of the partition, or whoever holds the lock of a stopped one's journal. */
export interface LetterSettler {
  readonly journal: PartitionJournal;
  isPending(key: Int32Array): boolean;
  /** Makes the record of replayed rows durable, and applies it. */
  commit(entry: JournalEntry): Promise<void>;
}

/** Replays or drops the dead letters of some keys of one partition. */
export async function settleDeadLetters(
  { action, keys, filter }: Pick<LetterRequest, 'action' | 'keys' | 'filter'>,
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

/** Has a running writer settle dead letters of its partition. Rejects when it crashes meanwhile or does not answer. */
export function askWriter(
  writer: ActorRef<WriterMessage>,
  partition: number,
  order: Pick<LetterRequest, 'action' | 'keys' | 'filter'>,
): Promise<DeadLetterOutcome> {
  return new Promise((resolve, reject) => {
    let isAbandoned = false;
    const giveUp = (why: string) => {
      isAbandoned = true;
      clearTimeout(timer);
      reject(new Error(`writer ${partition} ${why}: look at the list, and ask again`));
    };
    const timer = setTimeout(() => giveUp('does not answer'), ANSWER_MS);
    // A stop drops what is in mailboxes; nothing is to be held up by that.
    timer.unref();
    const request: LetterRequest = {
      ...order,
      isAbandoned: () => isAbandoned,
      done: (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      },
      failed: () => giveUp('has crashed meanwhile'),
    };
    if (!tell(writer, { kind: 'letters', request })) giveUp('has stopped');
  });
}
