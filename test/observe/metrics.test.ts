import test from 'ava';
import { register } from 'prom-client';
import { StoreError, type StoreErrorClass } from '../../src/model/errors.js';
import type { ReporterStatus } from '../../src/model/status.js';
import type { ReporterEvent } from '../../src/observe/events.js';
import { Metrics } from '../../src/observe/metrics.js';
import { type Family, parsePrometheus } from '../admin/prometheus.js';
import { busyStatus, ledgerOf, reporterStatus, writerStatus } from '../admin/statuses.js';

const TYPES = {
  connections: 'gauge',
  frames_total: 'counter',
  frames_rejected_total: 'counter',
  reports_received_total: 'counter',
  rows_received_total: 'counter',
  rows_recovered_total: 'counter',
  rows_upserted_total: 'counter',
  rows_coalesced_total: 'counter',
  rows_rejected_total: 'counter',
  rows_saturated_total: 'counter',
  rows_dead_lettered_total: 'counter',
  log_lines_discarded_total: 'counter',
  rows_pending: 'gauge',
  oldest_pending_seconds: 'gauge',
  writers_full: 'gauge',
  keys_remembered: 'gauge',
  writer_restarts_total: 'counter',
  journal_bytes: 'gauge',
  journal_sync_seconds: 'histogram',
  flush_seconds: 'histogram',
  flush_rows: 'histogram',
  store_errors_total: 'counter',
} as const;

const starting = () => reporterStatus({ state: 'starting', writers: [] });

const failed = (errorClass: StoreErrorClass): ReporterEvent => ({
  type: 'statement-failed',
  partition: 0,
  rows: 1,
  seconds: 0.1,
  error: new StoreError(errorClass, 'TEST', 'for the test'),
});

/** Values without prefix, of everything but histograms. */
async function scrape(metrics: Metrics): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const { type, samples } of parsePrometheus(await metrics.text()).values()) {
    if (type === 'histogram') continue;
    for (const [sample, value] of samples) values.set(sample.replace('lars_reporter_', ''), value);
  }
  return values;
}

async function family(metrics: Metrics, name: string): Promise<Family> {
  return parsePrometheus(await metrics.text()).get(`lars_reporter_${name}`)!;
}

test('every documented metric has a help text, its type, and a value from the start', async (t) => {
  const families = parsePrometheus(await new Metrics({ writers: 2, source: starting }).text());
  for (const [name, type] of Object.entries(TYPES)) {
    const found = families.get(`lars_reporter_${name}`);
    t.is(found?.type, type, name);
    t.true(found!.help.length > 10, name);
    t.true(found!.samples.size > 0, name);
    t.true(
      [...found!.samples.values()].every((value) => value === 0),
      name,
    );
  }
  for (const [name, { type }] of families) {
    t.true(name.startsWith('lars_reporter_'));
    t.is(name.endsWith('_total'), type === 'counter', name);
  }
});

/** Of the busy status. */
const VIEW_VALUES = {
  'services{level="ok"}': 214,
  'services{level="noted"}': 3,
  'services{level="failing"}': 2,
  'services{level="overloaded"}': 1,
  'services{level="outage"}': 4,
  'hosts{state="overloaded"}': 11,
  'hosts{state="disputed"}': 12,
  'hosts{state="failing"}': 13,
  'hosts{state="noted"}': 14,
  'hosts{state="ok"}': 15,
  'hosts{state="idle"}': 16,
  'hosts{state="stale"}': 17,
  'hosts{state="withdrawn"}': 18,
  'callers{state="reporting"}': 21,
  'callers{state="connected"}': 22,
  'callers{state="gone"}': 23,
  'callers{state="table"}': 24,
  incidents_open: 31,
  'incidents_total{kind="host"}': 32,
  'incidents_total{kind="blackout"}': 33,
  'incidents_total{kind="errors"}': 34,
  view_rows: 35,
  history_bytes: 39,
  history_stopped: 1,
  view_behind_seconds: 36,
  view_dropped_rows_total: 37,
  view_restarts_total: 38,
  view_mismatches_total: 39,
};

test('all label values are there from the start: reasons, classes, writers', async (t) => {
  const samples = [...(await scrape(new Metrics({ writers: 3, source: starting }))).keys()];
  const labelled = samples.filter((sample) => sample.includes('{')).sort();
  t.deepEqual(
    labelled,
    [
      `build_info{version="unknown",node="${process.version}"}`,
      'frames_rejected_total{reason="length"}',
      'frames_rejected_total{reason="undecodable"}',
      'frames_rejected_total{reason="unknown-id"}',
      'frames_rejected_total{reason="incomplete"}',
      'frames_rejected_total{reason="handler"}',
      'rows_rejected_total{reason="invalid"}',
      'rows_rejected_total{reason="caller"}',
      'address_throttled_total{reason="keys"}',
      'address_throttled_total{reason="reports"}',
      'connections_denied_total{reason="address"}',
      'connections_denied_total{reason="address-full"}',
      'connections_denied_total{reason="proxy-header"}',
      'connections_denied_total{reason="rules-changed"}',
      'tls_handshakes_failed_total{reason="timeout"}',
      'tls_handshakes_failed_total{reason="full"}',
      'tls_handshakes_failed_total{reason="no-certificate"}',
      'tls_handshakes_failed_total{reason="untrusted"}',
      'tls_handshakes_failed_total{reason="not-allowed"}',
      'tls_handshakes_failed_total{reason="version"}',
      'tls_handshakes_failed_total{reason="not-tls"}',
      'tls_handshakes_failed_total{reason="protocol"}',
      'tls_handshakes_failed_total{reason="peer"}',
      'tls_handshakes_failed_total{reason="aborted"}',
      'writer_restarts_total{writer="0"}',
      'writer_restarts_total{writer="1"}',
      'writer_restarts_total{writer="2"}',
      'store_errors_total{class="retry"}',
      'store_errors_total{class="retry-slowly"}',
      'store_errors_total{class="too-large"}',
      'store_errors_total{class="poison"}',
      'store_errors_total{class="configuration"}',
      ...Object.keys(VIEW_VALUES).filter((sample) => sample.includes('{')),
    ].sort(),
  );
});

test('counters and gauges are exactly what the status says', async (t) => {
  const limits = { maxInflightBytes: 1000, maxConnections: 50 };
  const metrics = new Metrics({ writers: 2, source: busyStatus, version: '1.2.3', limits });
  metrics.countStreams(() => 6);
  metrics.countDiscardedLines(() => 40);
  const expected = {
    connections: 3,
    connections_limit: 50,
    inflight_bytes: 777,
    inflight_limit_bytes: 1000,
    event_streams: 6,
    ledger_imbalance_rows: 0,
    [`build_info{version="1.2.3",node="${process.version}"}`]: 1,
    bytes_received_total: 123_456,
    connections_refused_total: 2,
    connections_resumed_total: 14,
    connections_resumed_in_frame_total: 15,
    bytes_skipped_total: 16,
    connections_handed_over_total: 17,
    frames_total: 900,
    'frames_rejected_total{reason="length"}': 1,
    'frames_rejected_total{reason="undecodable"}': 4,
    'frames_rejected_total{reason="unknown-id"}': 5,
    'frames_rejected_total{reason="incomplete"}': 6,
    'frames_rejected_total{reason="handler"}': 7,
    reports_received_total: 880,
    reports_empty_total: 11,
    rows_received_total: 3021,
    rows_recovered_total: 50,
    rows_upserted_total: 2690,
    rows_coalesced_total: 303,
    'rows_rejected_total{reason="invalid"}': 13,
    'rows_rejected_total{reason="caller"}': 8,
    'connections_denied_total{reason="address"}': 61,
    'connections_denied_total{reason="address-full"}': 62,
    'connections_denied_total{reason="proxy-header"}': 63,
    'connections_denied_total{reason="rules-changed"}': 64,
    'tls_handshakes_failed_total{reason="timeout"}': 81,
    'tls_handshakes_failed_total{reason="full"}': 82,
    'tls_handshakes_failed_total{reason="no-certificate"}': 83,
    'tls_handshakes_failed_total{reason="untrusted"}': 84,
    'tls_handshakes_failed_total{reason="not-allowed"}': 85,
    'tls_handshakes_failed_total{reason="version"}': 86,
    'tls_handshakes_failed_total{reason="not-tls"}': 87,
    'tls_handshakes_failed_total{reason="protocol"}': 88,
    'tls_handshakes_failed_total{reason="peer"}': 89,
    'tls_handshakes_failed_total{reason="aborted"}': 90,
    tls_connections: 71,
    tls_handshakes_pending: 72,
    tls_handshakes_total: 73,
    tls_connections_lost_total: 74,
    tls_certificate_end_seconds: Date.parse('2027-01-02T03:04:05Z') / 1000,
    'address_throttled_total{reason="reports"}': 65,
    'address_throttled_total{reason="keys"}': 68,
    reports_foreign_caller_total: 66,
    rows_saturated_total: 13,
    rows_dead_lettered_total: 1,
    rows_pending: 56,
    log_lines_discarded_total: 40,
    oldest_pending_seconds: 17,
    writers_full: 0,
    keys_remembered: 0,
    'writer_restarts_total{writer="0"}': 2,
    'writer_restarts_total{writer="1"}': 0,
    dead_letters: 1,
    journal_quarantined_records: 5,
    journal_bytes: 12_288,
    journal_failing: 0,
    'store_errors_total{class="retry"}': 0,
    'store_errors_total{class="retry-slowly"}': 0,
    'store_errors_total{class="too-large"}': 0,
    'store_errors_total{class="poison"}': 0,
    'store_errors_total{class="configuration"}': 0,
    ...VIEW_VALUES,
  };
  for (const time of ['first', 'second']) {
    const { start_time_seconds: started, ...others } = Object.fromEntries(await scrape(metrics));
    t.deepEqual(others, expected, `the ${time} scrape`);
    t.true(Math.abs(started! - Date.now() / 1000) < 600);
  }
});

test('one scrape reads one status, and overlapping scrapes each their own', async (t) => {
  let asked = 0;
  const metrics = new Metrics({
    writers: 1,
    source: () => {
      const status = reporterStatus({ writers: [writerStatus({ restarts: ++asked })] });
      return { ...status, inflightBytes: asked };
    },
  });
  const scrapes = await Promise.all([scrape(metrics), scrape(metrics), scrape(metrics)]);
  t.is(asked, 3);
  t.deepEqual(
    scrapes.map((values) => [values.get('inflight_bytes'), values.get('writer_restarts_total{writer="0"}')]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
});

test('a journal that cannot be written shows', async (t) => {
  const source = () => reporterStatus({ journalError: 'ENOSPC' });
  t.is((await scrape(new Metrics({ writers: 2, source }))).get('journal_failing'), 1);
});

test('a ledger that does not balance shows by how much', async (t) => {
  const source = () => reporterStatus({ ledger: ledgerOf({ received: 10, upserted: 4, pending: 3 }) });
  t.is((await scrape(new Metrics({ writers: 2, source }))).get('ledger_imbalance_rows'), 3);
});

test('the lag of the event loop is a distribution', async (t) => {
  const metrics = new Metrics({ writers: 1, source: () => reporterStatus() });
  metrics.observeLag([
    { ms: 0.5, count: 40 },
    { ms: 300, count: 2 },
  ]);
  const { samples } = await family(metrics, 'event_loop_lag_seconds');
  t.is(samples.get('lars_reporter_event_loop_lag_seconds_count'), 42);
  t.is(samples.get('lars_reporter_event_loop_lag_seconds_bucket{le="0.25"}'), 40);
});

test('with the usual four writers, a scrape has fewer than 200 series', async (t) => {
  const families = parsePrometheus(await new Metrics({ writers: 4, source: busyStatus }).text());
  const series = [...families.values()].reduce((sum, { samples }) => sum + samples.size, 0);
  t.true(series < 200, `${series} series`);
  t.true(series > 50);
});

test('flushes and commits are distributions', async (t) => {
  const metrics = new Metrics({ writers: 1, source: () => reporterStatus() });
  metrics.observe({ type: 'statement-flushed', partition: 0, rows: 1000, seconds: 0.02 });
  metrics.observe({ type: 'statement-flushed', partition: 0, rows: 3, seconds: 0.002 });
  metrics.observe({ type: 'journal-synced', seconds: 0.003 });
  const { samples: rows } = await family(metrics, 'flush_rows');
  t.is(rows.get('lars_reporter_flush_rows_sum'), 1003);
  t.is(rows.get('lars_reporter_flush_rows_count'), 2);
  t.is(rows.get('lars_reporter_flush_rows_bucket{le="5"}'), 1);
  t.is(rows.get('lars_reporter_flush_rows_bucket{le="1000"}'), 2);
  t.is(rows.get('lars_reporter_flush_rows_bucket{le="+Inf"}'), 2);
  const { samples: seconds } = await family(metrics, 'flush_seconds');
  t.is(seconds.get('lars_reporter_flush_seconds_sum'), 0.022);
  const { samples: syncs } = await family(metrics, 'journal_sync_seconds');
  t.is(syncs.get('lars_reporter_journal_sync_seconds_bucket{le="0.0025"}'), 0);
  t.is(syncs.get('lars_reporter_journal_sync_seconds_bucket{le="0.005"}'), 1);
});

test('failures of the store are counted by class', async (t) => {
  const metrics = new Metrics({ writers: 1, source: starting });
  metrics.observe(failed('retry'));
  metrics.observe(failed('poison'));
  metrics.observe(failed('retry'));
  const values = await scrape(metrics);
  t.is(values.get('store_errors_total{class="retry"}'), 2);
  t.is(values.get('store_errors_total{class="poison"}'), 1);
  t.is(values.get('store_errors_total{class="configuration"}'), 0);
});

test('two reporters in one process share nothing, and nothing is global', async (t) => {
  const source = (connections: number) => (): ReporterStatus => {
    const status = reporterStatus();
    return { ...status, traffic: { ...status.traffic, connections } };
  };
  const one = new Metrics({ writers: 1, source: source(1) });
  const two = new Metrics({ writers: 2, source: source(2) });
  one.observe(failed('retry'));
  one.observe({ type: 'statement-flushed', partition: 0, rows: 1, seconds: 1 });
  t.is((await scrape(one)).get('connections'), 1);
  const values = await scrape(two);
  t.is(values.get('connections'), 2);
  t.is(values.get('store_errors_total{class="retry"}'), 0);
  t.is((await family(two, 'flush_rows')).samples.get('lars_reporter_flush_rows_count'), 0);
  t.deepEqual(register.getMetricsAsArray(), []);
});
