import type { JournalRecord } from '../journal/record.js';
import type { PendingRows } from './pending.js';

/** What applying a record did to the map. */
export interface Applied {
  /** Keys the store has confirmed. */
  readonly confirmed: number;
  /** Keys the store refuses. */
  readonly refused: number;
  /** Rows that replaced a pending one. */
  readonly coalesced: number;
}

/** Applies a record to a map in which its chunks are in flight: what a running writer does at epoch second `now`. */
export function applyRecord(pending: PendingRows, record: JournalRecord, now: number): Applied {
  return apply(pending, record, record.superseded, record.refusedSuperseded, now);
}

/**
 * Applies a record to a map that is being rebuilt: nothing is in flight in it, and nothing superseded. Nothing waits
 * since later than `now`, an epoch second, if it is given: the wall clock may have been set back since the record was
 * written.
 */
export function replayRecord(
  pending: PendingRows,
  record: JournalRecord,
  now = Number.POSITIVE_INFINITY,
): Applied {
  return apply(pending, record, 0, 0, Math.min(Math.floor(record.at / 1000), now));
}

function apply(
  pending: PendingRows,
  record: JournalRecord,
  superseded: number,
  refusedSuperseded: number,
  since: number,
): Applied {
  return {
    confirmed: pending.confirm(record.confirmed, superseded),
    refused: pending.confirm(record.refused, refusedSuperseded),
    coalesced: pending.fold(record.rows, since),
  };
}
