import type { PartitionJournal } from '../journal/contract.js';
import { type DeadLetterFilter, isMeant } from '../model/dead-letter.js';
import { WORDS_PER_ROW } from '../model/row.js';

/** What replaying some dead letters comes to. */
export interface Redelivery {
  /** Packed rows that are received again. */
  readonly rows: Int32Array;
  /** Keys whose dead letters go: those of the rows, and those of which a newer value is pending. */
  readonly released: readonly Int32Array[];
  /** Dead letters that stay because something newer may be in quarantine. */
  readonly kept: number;
}

/**
 * Which of the dead letters of `keys` are to be received again, and which are only to be removed.
 *
 * A replay must never move a row backwards. It does not, because of who decides, and when:
 *
 * - A key has a dead letter only as long as no newer value of it is known to be stored: the record that confirms a
 *   newer value removes it, in the same transaction.
 * - A newer value that the journal has and the store may have, confirmed or not, is pending until such a record is
 *   applied, after a crash, too. So "has a dead letter and is not pending" means that nothing newer than the letter
 *   was ever sent, and "is pending" that something newer will be, or was: the letter is of no more use.
 * - A newer value that the journal does not have yet comes in a later record, and replaces the replayed one.
 * - The refused value itself is not on its way any more: the store has answered.
 *
 * What went into quarantine is pending no more, though the store may have taken some of it. So a letter stays where
 * it is when its key was last refused before `quarantinedAt`, when the last record was put there: people may drop
 * it, or wait for the next report.
 *
 * All of which holds if nothing changes between this decision and the record that carries it out. The writer of the
 * partition takes one message at a time, only its records change which keys are pending and have dead letters, and
 * the record of a replay confirms and refuses nothing. A tool that holds the lock of a stopped reporter's journal is
 * alone with it. The record and the removal of the letters are one transaction: a crash leaves both or neither, so a
 * replay that was lost with its writer can simply be asked for again.
 */
export async function redeliver(
  journal: Pick<PartitionJournal, 'deadLetter' | 'quarantinedAt'>,
  keys: readonly Int32Array[],
  filter: DeadLetterFilter,
  isPending: (key: Int32Array) => boolean,
): Promise<Redelivery> {
  const quarantinedAt = await journal.quarantinedAt();
  const rows: Int32Array[] = [];
  const released: Int32Array[] = [];
  let kept = 0;
  for (const key of keys) {
    const stored = await journal.deadLetter(key);
    // Gone, or another one, since it was looked for.
    if (!stored || !isMeant(stored.deadLetter, filter)) continue;
    if (!isPending(key)) {
      if (stored.deadLetter.lastAt <= quarantinedAt) {
        kept++;
        continue;
      }
      rows.push(stored.words);
    }
    released.push(key);
  }
  const words = new Int32Array(rows.length * WORDS_PER_ROW);
  for (const [index, row] of rows.entries()) words.set(row, index * WORDS_PER_ROW);
  return { rows: words, released, kept };
}

/** The keys among `keys` whose dead letters the filter means. */
export async function keysMeant(
  journal: Pick<PartitionJournal, 'deadLetter'>,
  keys: readonly Int32Array[],
  filter: DeadLetterFilter,
): Promise<Int32Array[]> {
  const meant: Int32Array[] = [];
  for (const key of keys) {
    const stored = await journal.deadLetter(key);
    if (stored && isMeant(stored.deadLetter, filter)) meant.push(key);
  }
  return meant;
}
