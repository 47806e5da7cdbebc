import type { Ledger, ReporterStatus, WriterStatus } from '../../src/model/status.js';
import { Traffic } from '../../src/model/traffic.js';
import { type LiveViewStatus, VIEW_OFF } from '../../src/model/view-status.js';
import { Counts, totalLedger } from '../../src/partition/counts.js';

/** A balanced ledger of these counts. */
export function ledgerOf(counts: Partial<Omit<Ledger, 'balanced'>> = {}): Ledger {
  const { pending = 0, ...others } = counts;
  return Object.assign(new Counts(), others).ledger(pending);
}

/** A writer that has done nothing yet, but for what is given. */
export function writerStatus(given: Partial<WriterStatus> = {}): WriterStatus {
  return {
    partition: 0,
    state: 'running',
    restarts: 0,
    store: { state: 'ok' },
    ledger: ledgerOf(),
    oldestPendingSeconds: 0,
    full: false,
    remembered: 0,
    journalBytes: 0,
    ...given,
  };
}

/** The status of a reporter that runs and has two writers, but for what is given. */
export function reporterStatus(given: Partial<ReporterStatus> = {}): ReporterStatus {
  const writers = given.writers ?? [writerStatus(), writerStatus({ partition: 1 })];
  return {
    state: 'running',
    pid: 4711,
    keeper: null,
    traffic: new Traffic(),
    tls: null,
    inflightBytes: 0,
    store: 'embedded:./data/store',
    deadLetters: 0,
    quarantined: 0,
    writers,
    ledger: totalLedger(writers.map((writer) => writer.ledger)),
    view: VIEW_OFF,
    ...given,
  };
}

/** A reporter in the middle of its work: every count has a value of its own. */
export function busyStatus(): ReporterStatus {
  const traffic = Object.assign(new Traffic(), {
    connections: 3,
    accepted: 8,
    refused: 2,
    resumed: 14,
    resumedInFrame: 15,
    skippedBytes: 16,
    handedOver: 17,
    denied: { address: 61, 'address-full': 62, 'proxy-header': 63, 'rules-changed': 64 },
    tls: {
      ...{ connections: 71, pending: 72, handshakes: 73, lost: 74, ended: 75 },
      failed: {
        ...{ timeout: 81, full: 82, 'no-certificate': 83, untrusted: 84, 'not-allowed': 85 },
        ...{ version: 86, 'not-tls': 87, protocol: 88, peer: 89, aborted: 90 },
      },
    },
    throttled: { reports: 65, keys: 68 },
    foreignCallers: 66,
    foreignRows: 8,
    bytes: 123_456,
    frames: 900,
    framesRejected: { length: 1, undecodable: 4, 'unknown-id': 5, incomplete: 6, handler: 7 },
    reports: 880,
    emptyReports: 11,
    saturated: 13,
  });
  const writers = [
    writerStatus({
      restarts: 2,
      lastCrash: 'the disk is on fire',
      ledger: ledgerOf({
        received: 1000,
        recovered: 50,
        upserted: 700,
        coalesced: 300,
        deadLettered: 1,
        pending: 49,
      }),
      oldestPendingSeconds: 17,
      journalBytes: 4096,
    }),
    writerStatus({
      partition: 1,
      ledger: ledgerOf({ received: 2000, upserted: 1990, coalesced: 3, pending: 7 }),
      oldestPendingSeconds: 4,
      journalBytes: 8192,
    }),
  ];
  const refused = ledgerOf({ received: 21, rejected: 21 });
  const ledger = totalLedger([refused, ...writers.map((writer) => writer.ledger)]);
  const view: LiveViewStatus = {
    state: 'live',
    behindS: 36,
    droppedRows: 37,
    restarts: 38,
    history: { state: 'stopped', why: 'EIO', bytes: 39 },
    counts: {
      rows: 35,
      services: { ok: 214, noted: 3, failing: 2, overloaded: 1, outage: 4 },
      hosts: {
        ...{ overloaded: 11, disputed: 12, failing: 13, noted: 14, ok: 15 },
        ...{ idle: 16, stale: 17, withdrawn: 18 },
      },
      callers: { reporting: 21, connected: 22, gone: 23, table: 24 },
      lostAtStart: 40,
      sharedCallers: 41,
      incidentsOpen: 31,
      incidentsBegun: { host: 32, blackout: 33, errors: 34 },
      mismatches: 39,
      sampled: 1,
    },
  };
  const counts = { inflightBytes: 777, deadLetters: 1, quarantined: 5 };
  const tls = { validTo: '2027-01-02T03:04:05.000Z', endsFirst: 'listen.tls.ca' } as const;
  return reporterStatus({ traffic, tls, ...counts, writers, ledger, view });
}
