import { EMPTY_RECORD, type JournalEntry, type JournalRecord, type Refusal } from '../journal/record.js';
import type { StoreError } from '../model/errors.js';
import { WORDS_PER_KEY } from '../model/row.js';
import type { Chunk } from '../partition/chunk.js';
import type { PendingRows } from '../partition/pending.js';
import type { Batch } from '../routing/protocol.js';

/** A chunk the store has confirmed, or, being a single row, refused. */
export interface SettledChunk {
  readonly chunk: Chunk;
  readonly refusal?: StoreError;
}

/**
 * The journal entry of a batch, of a checkpoint, or of both. The checkpoint names the keys of settled chunks whose
 * values are still those that were sent. `keys`: memory for these keys, used again by the next call.
 */
export function entryOf(
  pending: PendingRows,
  batch: Batch | undefined,
  settled: readonly SettledChunk[],
  keys: Int32Array,
): JournalEntry {
  const stored = settled.filter(({ refusal }) => !refusal).map(({ chunk }) => chunk);
  const refused = settled.filter(({ refusal }) => refusal);
  const confirmed = pending.unchangedKeys(stored, keys);
  const dead = pending.unchangedKeys(refused.map(({ chunk }) => chunk));
  const sent = stored.reduce((rows, chunk) => rows + chunk.rows.length, 0);
  const record: JournalRecord = {
    ...EMPTY_RECORD,
    at: Date.now(),
    confirmed,
    superseded: sent - confirmed.length / WORDS_PER_KEY,
    refused: dead,
    refusedSuperseded: refused.length - dead.length / WORDS_PER_KEY,
    ...(batch ? { batchId: batch.id, received: batch.received, rows: batch.rows } : {}),
  };
  const refusals: Refusal[] = refused.map(({ chunk, refusal }) => ({
    words: chunk.rows.words,
    code: refusal!.code,
    message: refusal!.message,
  }));
  return { record, refusals };
}
