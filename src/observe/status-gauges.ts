import { imbalanceOf } from './problems.js';
import type { Reading } from './status-counters.js';

/** What goes up and down, from the status. */
export const GAUGES: readonly Reading[] = [
  ['connections', 'Connections of agents open now.', ({ traffic }) => traffic.connections],
  ['tls_connections', 'Connections of agents with TLS open now.', ({ traffic }) => traffic.tls.connections],
  [
    'tls_handshakes_pending',
    'TLS handshakes under way, and connections that wait for theirs.',
    ({ traffic }) => traffic.tls.pending,
  ],
  [
    'tls_certificate_end_seconds',
    'When the certificate that is shown to agents, or an authority of theirs, ends, epoch seconds; 0 without listen.tls.',
    ({ tls }) => (tls === null ? 0 : Date.parse(tls.validTo) / 1000),
  ],
  ['inflight_bytes', 'Bytes read from agents and not journaled yet.', ({ inflightBytes }) => inflightBytes],
  ['rows_pending', 'Row values held for the store now.', ({ ledger }) => ledger.pending],
  [
    'oldest_pending_seconds',
    'Age of the oldest report the store does not have; 0 when it has all.',
    ({ writers }) => Math.max(0, ...writers.map((writer) => writer.oldestPendingSeconds)),
  ],
  [
    'writers_full',
    'Writers that hold as many keys as they may (writers.maxPendingKeys), so that agents with new ones wait.',
    ({ writers }) => writers.filter(({ full }) => full).length,
  ],
  [
    'keys_remembered',
    'Keys that were stored a moment ago and are remembered, so that they are written in intervals (writers.rewriteMs).',
    ({ writers }) => writers.reduce((sum, { remembered }) => sum + remembered, 0),
  ],
  ['dead_letters', 'Keys whose newest value the store refuses.', ({ deadLetters }) => deadLetters],
  [
    'journal_quarantined_records',
    'Journal records that were damaged, or crashed their writer, and are kept aside.',
    ({ quarantined }) => quarantined,
  ],
  [
    'journal_bytes',
    'Bytes of journal records and snapshots of all writers.',
    ({ writers }) => writers.reduce((sum, writer) => sum + writer.journalBytes, 0),
  ],
  [
    'ledger_imbalance_rows',
    'Rows by which the conservation equation does not hold; 0 unless there is a bug.',
    imbalanceOf,
  ],
  [
    'journal_failing',
    '1 while the journal cannot be written and agents wait, else 0.',
    ({ journalError }) => (journalError === undefined ? 0 : 1),
  ],
];
