import test from 'ava';
import { FaultyDisk, FaultyStore, until } from '../../src/testing/index.js';
import { tempDir } from '../support/temp.js';
import { pathOf, rulesIn, textOf } from './files.js';
import { type RuleCase, type RuleSeries, testRules } from './promtool.js';
import { BOUND, reportOf, scrape, seriesOf, startSite, untilLevel } from './scrapes.js';

const RULES = pathOf('deploy/prometheus/lars-reporter.rules.yml');
const AT = '{job="lars-reporter",instance="a:7780"}';

/** Minutes in which a gauge or a counter goes from one value to another and stays there. */
const steps = (before: number, minutes: number, after: number) => `${before}+0x${minutes - 1} ${after}+0x60`;
const of = (metric: string, labels = ''): string => `lars_reporter_${metric}${labels || AT}`;

/** One case an alert: not before its time, and then it alone. */
const CASES: Readonly<Record<string, RuleCase>> = {
  LarsReporterDown: { series: [[`up${AT}`, steps(1, 5, 0)]], fires: { 5: [], 8: ['LarsReporterDown'] } },
  LarsReporterRestarting: {
    series: [[of('start_time_seconds'), '0+0x4 10 20 30 40 50+0x60']],
    fires: { 5: [], 9: ['LarsReporterRestarting'], 40: [] },
  },
  LarsReporterJournalFailing: {
    series: [[of('journal_failing'), steps(0, 5, 1)]],
    fires: { 5: [], 7: ['LarsReporterJournalFailing'] },
  },
  LarsReporterStoreBehind: {
    series: [[of('oldest_pending_seconds'), '0+60x15']],
    fires: { 2: [], 3: [], 5: ['LarsReporterStoreBehind'] },
  },
  LarsReporterStoreFarBehind: {
    series: [[of('oldest_pending_seconds'), '0+60x60']],
    fires: {
      15: ['LarsReporterStoreBehind'],
      18: ['LarsReporterStoreBehind', 'LarsReporterStoreFarBehind'],
    },
  },
  LarsReporterStoreRefuses: {
    series: [
      [of('store_errors_total', '{job="j",instance="a",class="configuration"}'), `${steps(0, 5, 10)}`],
      [of('store_errors_total', '{job="j",instance="a",class="retry"}'), '0+100x60'],
    ],
    fires: { 5: [], 9: ['LarsReporterStoreRefuses'], 30: [] },
  },
  LarsReporterWriterRestarts: {
    series: ['0', '1'].map(
      (writer): RuleSeries => [
        of('writer_restarts_total', `{job="j",instance="a",writer="${writer}"}`),
        steps(0, 5, 3),
      ],
    ),
    fires: { 4: [], 6: ['LarsReporterWriterRestarts'], 30: [] },
  },
  LarsReporterDeadLetters: {
    series: [[of('rows_dead_lettered_total'), steps(7, 5, 8)]],
    fires: { 4: [], 6: ['LarsReporterDeadLetters'], 30: [] },
  },
  LarsReporterQuarantine: {
    series: [[of('journal_quarantined_records'), steps(7, 5, 8)]],
    fires: { 4: [], 6: ['LarsReporterQuarantine'], 30: [] },
  },
  LarsReporterUnbalanced: {
    series: [[of('ledger_imbalance_rows'), steps(0, 5, -1)]],
    fires: { 5: [], 7: ['LarsReporterUnbalanced'] },
  },
  LarsReporterAgentsLost: {
    series: [[of('connections'), `${steps(100, 10, 79)}`]],
    fires: { 12: [], 16: ['LarsReporterAgentsLost'], 71: [] },
  },
  LarsReporterRefusing: {
    series: [[of('connections_refused_total'), steps(3, 5, 4)]],
    fires: { 4: [], 6: ['LarsReporterRefusing'], 20: [] },
  },
  LarsReporterDenying: {
    series: [
      [of('connections_denied_total', '{job="j",instance="a",reason="address-full"}'), steps(3, 5, 4)],
      // Those are meant.
      [of('connections_denied_total', '{job="j",instance="a",reason="address"}'), '0+5x60'],
    ],
    fires: { 4: [], 6: ['LarsReporterDenying'], 20: [] },
  },
  LarsReporterHandshakesFail: {
    series: [
      [of('tls_handshakes_failed_total', '{job="j",instance="a",reason="untrusted"}'), steps(0, 5, 11)],
      // Scanners.
      [of('tls_handshakes_failed_total', '{job="j",instance="a",reason="not-tls"}'), '0+5x60'],
    ],
    fires: { 4: [], 6: ['LarsReporterHandshakesFail'], 40: [] },
  },
  LarsReporterCertificateEnds: {
    // Time begins at 0 here.
    series: [[of('tls_certificate_end_seconds'), steps(0, 5, 14 * 86_400 + 600)]],
    fires: { 4: [], 9: [], 11: ['LarsReporterCertificateEnds'] },
  },
  LarsReporterBackpressure: {
    series: [
      [of('inflight_bytes'), steps(70, 5, 81)],
      [of('inflight_limit_bytes'), '100+0x60'],
    ],
    fires: { 6: [], 8: ['LarsReporterBackpressure'] },
  },
  LarsReporterWriterFull: {
    series: [[of('writers_full'), steps(0, 5, 1)]],
    fires: { 9: [], 11: ['LarsReporterWriterFull'] },
  },
  LarsReporterNoReports: {
    series: [
      [of('reports_received_total'), '0+10x10 100+0x60'],
      [of('connections'), '5+0x80'],
    ],
    fires: { 20: [], 30: ['LarsReporterNoReports'] },
  },
  LarsReporterLoopSlow: {
    series: [
      [of('event_loop_lag_seconds_bucket', '{job="j",instance="a",le="0.1"}'), '0+80x60'],
      [of('event_loop_lag_seconds_bucket', '{job="j",instance="a",le="0.5"}'), '0+100x60'],
      [of('event_loop_lag_seconds_bucket', '{job="j",instance="a",le="+Inf"}'), '0+100x60'],
    ],
    fires: { 3: [], 10: ['LarsReporterLoopSlow'] },
  },
  LarsReporterViewBehind: {
    series: [[of('view_behind_seconds'), steps(0, 5, 31)]],
    fires: { 9: [], 11: ['LarsReporterViewBehind'] },
  },
  LarsReporterHistoryStopped: {
    series: [[of('history_stopped'), steps(0, 5, 1)]],
    fires: { 9: [], 11: ['LarsReporterHistoryStopped'] },
  },
  LarsServiceOutage: {
    series: [[of('service_level', '{modid="1",cmdid="2"}'), steps(0, 5, 4)]],
    fires: { 5: [], 7: ['LarsServiceOutage'] },
  },
  LarsServiceOverloaded: {
    series: [[of('service_level', '{modid="1",cmdid="2"}'), steps(2, 5, 3)]],
    fires: { 9: [], 11: ['LarsServiceOverloaded'] },
  },
  LarsServicesWithoutSeries: {
    series: [[of('services_omitted'), '1+0x80']],
    fires: { 50: [], 61: ['LarsServicesWithoutSeries'] },
  },
};

test('each alert fires when it should, not before, and no other one with it', (t) => {
  const names = rulesIn(textOf('deploy/prometheus/lars-reporter.rules.yml')).map(({ alert }) => alert);
  t.deepEqual(Object.keys(CASES).sort(), [...names].sort());
  for (const [name, one] of Object.entries(CASES)) {
    const { code, said } = testRules(tempDir(t), RULES, [one]);
    t.is(code, 0, `${name}: ${said}`);
  }
});

test('of a reporter that is well, whose services are well, no alert fires', async (t) => {
  const reporter = await startSite(t);
  await reporter.report(reportOf(false));
  await untilLevel(t, reporter, 'ok');
  const series = seriesOf(await scrape(reporter));
  const { code, said } = testRules(tempDir(t), RULES, [{ series, fires: { 2: [], 20: [], 90: [] } }]);
  t.is(code, 0, said);
});

test('the alerts fire of what a reporter shows whose disk is full, and whose service has no host left', async (t) => {
  const disk = new FaultyDisk();
  const reporter = await startSite(t, { journalFaults: disk.faults });
  await reporter.report(reportOf(true));
  await untilLevel(t, reporter, 'outage');
  disk.fill();
  const waiting = reporter.report(reportOf(true));
  await until(() => reporter.status().journalError, { ...BOUND, what: 'the journal to fail' });
  const series = seriesOf(await scrape(reporter));
  disk.makeRoom();
  await waiting;
  const fires = { 10: ['LarsReporterJournalFailing', 'LarsServiceOutage'] };
  const { code, said } = testRules(tempDir(t), RULES, [{ series, fires }]);
  t.is(code, 0, said);
});

test('the alerts fire of what a reporter shows whose database refuses a row for what it holds', async (t) => {
  const store = new FaultyStore();
  const reporter = await startSite(t, { store });
  await reporter.report(reportOf(false));
  await untilLevel(t, reporter, 'ok');
  const before = await scrape(reporter);
  store.reject(() => true);
  await reporter.report(reportOf(false));
  await until(() => reporter.status().deadLetters === 1, { ...BOUND, what: 'a dead letter' });
  const after = await scrape(reporter);
  const values = new Map(seriesOf(before).map(([name, text]) => [name, text.split('+')[0]!]));
  const series = seriesOf(after).map(
    ([name, text]): RuleSeries => [name, `${values.get(name) ?? text.split('+')[0]}+0x9 ${text}`],
  );
  const { code, said } = testRules(tempDir(t), RULES, [
    { series, fires: { 9: [], 12: ['LarsReporterDeadLetters'] } },
  ]);
  t.is(code, 0, said);
});
