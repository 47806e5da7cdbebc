import type { ReporterStatus } from '../../src/model/status.js';
import { Traffic } from '../../src/model/traffic.js';
import { HISTORY_OFF, type ViewCounts } from '../../src/model/view-status.js';
import { ledgerOf, reporterStatus, writerStatus } from '../admin/statuses.js';

/** A reporter that has done its work for three days: what a picture of it should show. */
export function wellStatus(viewCounts: ViewCounts): ReporterStatus {
  const counts = { received: 412_300_118, upserted: 96_212_040, coalesced: 316_087_960 };
  const writers = [
    writerStatus({ ledger: ledgerOf({ ...counts, pending: 118 }), journalBytes: 8_388_608 }),
    writerStatus({
      partition: 1,
      ledger: ledgerOf({ ...counts, deadLettered: 1, pending: 117 }),
      journalBytes: 6_291_456,
    }),
  ];
  const traffic = Object.assign(new Traffic(), {
    ...{ connections: 34, accepted: 36, bytes: 44_120_000_000, frames: 82_460_024, reports: 82_460_024 },
  });
  const view = {
    state: 'live',
    behindS: 0,
    droppedRows: 0,
    restarts: 0,
    history: HISTORY_OFF,
    counts: viewCounts,
  } as const;
  return reporterStatus({ traffic, writers, deadLetters: 1, view });
}
