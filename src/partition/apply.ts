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

/** Applies a record to a map in which its chunks are in flight: what a running writer does. */
export function applyRecord(pending: PendingRows, record: JournalRecord): Applied {
  return apply(pending, record, record.superseded, record.refusedSuperseded);
}

/** Applies a record to a map that is being rebuilt: nothing is in flight in it, and nothing superseded. */
export function replayRecord(pending: PendingRows, record: JournalRecord): Applied {
  return apply(pending, record, 0, 0);
}

function apply(
  pending: PendingRows,
  record: JournalRecord,
  superseded: number,
  refusedSuperseded: number,
): Applied {
  return {
    confirmed: pending.confirm(record.confirmed, superseded),
    refused: pending.confirm(record.refused, refusedSuperseded),
    coalesced: pending.fold(record.rows, Math.floor(record.at / 1000)),
  };
}
