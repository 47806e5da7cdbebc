import type { ReporterStatus } from '../model/status.js';

/** Name without prefix, help text, and where its value stands in the status. */
export type Reading = readonly [name: string, help: string, read: (status: ReporterStatus) => number];

/** What only rises, from the status. */
export const COUNTERS: readonly Reading[] = [
  ['frames_total', 'Whole frames read, good or bad.', ({ traffic }) => traffic.frames],
  ['bytes_received_total', 'Bytes read from agents.', ({ traffic }) => traffic.bytes],
  [
    'connections_refused_total',
    'Connections refused because listen.maxConnections were open.',
    ({ traffic }) => traffic.refused,
  ],
  [
    'reports_foreign_caller_total',
    'Reports that name another machine as their caller; listen.verifyCaller says what becomes of them.',
    ({ traffic }) => traffic.foreignCallers,
  ],
  [
    'connections_resumed_total',
    'Connections read on after the process before had ended without a word.',
    ({ traffic }) => traffic.resumed,
  ],
  [
    'connections_resumed_in_frame_total',
    'Connections resumed that were in the middle of a frame.',
    ({ traffic }) => traffic.resumedInFrame,
  ],
  [
    'bytes_skipped_total',
    'Bytes of frames whose beginnings ended with the process before.',
    ({ traffic }) => traffic.skippedBytes,
  ],
  [
    'connections_handed_over_total',
    'Connections that the process before has handed over.',
    ({ traffic }) => traffic.handedOver,
  ],
  [
    'tls_handshakes_total',
    'TLS handshakes of agents that were completed.',
    ({ traffic }) => traffic.tls.handshakes,
  ],
  [
    'tls_connections_lost_total',
    'Connections with TLS that the process before had when it ended without a word; nobody can read them on.',
    ({ traffic }) => traffic.tls.lost,
  ],
  ['reports_received_total', 'Reports decoded.', ({ traffic }) => traffic.reports],
  [
    'reports_empty_total',
    'Reports without any result; nothing of them is stored.',
    ({ traffic }) => traffic.emptyReports,
  ],
  [
    'rows_received_total',
    'Rows taken in: journaled, or refused before that.',
    ({ ledger }) => ledger.received,
  ],
  [
    'rows_recovered_total',
    'Rows found pending in the journal when the process started.',
    ({ ledger }) => ledger.recovered,
  ],
  ['rows_upserted_total', 'Row values the store confirmed.', ({ ledger }) => ledger.upserted],
  [
    'rows_coalesced_total',
    'Row values that a newer one of the same key replaced before the store had them.',
    ({ ledger }) => ledger.coalesced,
  ],
  [
    'rows_saturated_total',
    'Counters stored as 2147483647 because they did not fit the table.',
    ({ traffic }) => traffic.saturated,
  ],
  [
    'rows_dead_lettered_total',
    'Rows the store refused for what they hold; they are kept as dead letters.',
    ({ ledger }) => ledger.deadLettered,
  ],
];
