import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, type ReporterOptions, startReporter } from '../../../src/index.js';
import type { Logger } from '../../../src/model/log.js';
import type { EventMap } from '../../../src/observe/events.js';
import { Metrics } from '../../../src/observe/metrics.js';
import { MetricSource } from '../../../src/observe/telemetry/metric-source.js';
import { importPackages } from '../../../src/observe/telemetry/packages.js';
import { startTelemetry } from '../../../src/observe/telemetry/telemetry.js';
import { FaultyStore, numberedReport, until } from '../../../src/testing/index.js';
import { parsePrometheus } from '../../admin/prometheus.js';
import { busyStatus } from '../../admin/statuses.js';
import { attributesOf, OtlpReceiver, type OtlpSpan } from '../../support/otlp-receiver.js';
import { tempDir } from '../../support/temp.js';

const BOUND = { boundMs: 20_000 };

type Telemetry = NonNullable<ConfigInput['telemetry']>;

async function start(t: ExecutionContext, telemetry: Telemetry, options: ReporterOptions = {}) {
  const store = new FaultyStore();
  const reporter = await startReporter(
    {
      listen: { host: '127.0.0.1', port: 0 },
      journal: { dir: `${tempDir(t)}/journal` },
      writers: { count: 1 },
      view: { enabled: false },
      telemetry,
    },
    { store, ...options },
  );
  t.teardown(() => reporter.stop());
  const isStored = () =>
    until(() => reporter.ledger().pending === 0, { ...BOUND, what: 'rows to be stored' });
  return { reporter, store, isStored };
}

const named = (spans: readonly OtlpSpan[], name: string) => spans.filter((span) => span.name === name);
const began = (span: OtlpSpan) => BigInt(span.startTimeUnixNano);
const ended = (span: OtlpSpan) => BigInt(span.endTimeUnixNano);

test('each sampled batch is a trace, from the reading of its first row until the store has its last', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const { reporter, isStored } = await start(t, { otlpUrl: `${receiver.url}/`, sampleRatio: 1 });
  for (let round = 1; round <= 3; round++) {
    await reporter.report(numberedReport(1, 1, 5, round));
    await isStored();
  }
  await reporter.stop();
  const { spans } = receiver;
  const batches = named(spans, 'batch');
  t.is(batches.length, 3);
  for (const [index, batch] of batches.entries()) {
    t.falsy(batch.parentSpanId);
    t.deepEqual(attributesOf(batch), {
      ...{ 'lars.partition': 0, 'lars.batch.id': index + 1 },
      ...{ 'lars.batch.rows': 5, 'lars.batch.received': 5, 'lars.outcome': 'stored' },
    });
    const children = spans.filter(({ parentSpanId }) => parentSpanId === batch.spanId);
    t.deepEqual(children.map(({ name }) => name).sort(), ['gather', 'journal', 'store']);
    for (const child of children) t.is(child.traceId, batch.traceId);
    const [gather, journal, store] = ['gather', 'journal', 'store'].map((name) => named(children, name)[0]!);
    t.is(began(gather!), began(batch));
    t.is(ended(gather!), began(journal!));
    t.is(ended(journal!), began(store!));
    t.is(ended(store!), ended(batch));
    t.true(began(batch) <= ended(gather!) && began(journal!) < ended(journal!));
  }
  t.is(new Set(batches.map(({ traceId }) => traceId)).size, 3);
  t.deepEqual(
    receiver.resources.map((resource) => resource['service.name']),
    receiver.resources.map(() => 'lars-reporter'),
  );
});

test('a statement is a trace of its own, and is linked with the batches that it carries rows of', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const { reporter, store, isStored } = await start(t, { otlpUrl: receiver.url, sampleRatio: 1 });
  store.hang({ times: 1 });
  await reporter.report(numberedReport(1, 1, 2, 1));
  await until(() => store.hanging === 1, { ...BOUND, what: 'a statement under way' });
  // These two go together, in the next one.
  await reporter.report(numberedReport(1, 2, 2, 1));
  await reporter.report(numberedReport(1, 3, 2, 1));
  store.release('go-on');
  await isStored();
  await reporter.stop();
  const { spans } = receiver;
  const batches = named(spans, 'batch');
  const statements = named(spans, 'statement');
  const places = (linked: readonly { spanId: string }[]) => linked.map(({ spanId }) => spanId);
  t.deepEqual(
    statements.map(({ links }) => places(links)),
    [places(batches.slice(0, 1)), places(batches.slice(1))],
  );
  for (const statement of statements) {
    t.falsy(statement.parentSpanId);
    t.is(statement.kind, 3, 'client');
  }
  const stores = named(spans, 'store').sort((a, b) => Number(began(a) - began(b)));
  t.deepEqual(
    stores.map(({ links }) => places(links)),
    [0, 1, 1].map((index) => [statements[index]!.spanId]),
  );
});

test('spans tell the class of what failed, and nothing of what rows hold', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const { reporter, store, isStored } = await start(t, { otlpUrl: receiver.url, sampleRatio: 1 });
  store.fail('retry', { times: 1 });
  store.reject(({ modid }) => modid === 71_717);
  await reporter.report({ ...numberedReport(1, 1, 3, 1), modid: 71_717 });
  await isStored();
  await reporter.stop();
  const { spans } = receiver;
  const [batch] = named(spans, 'batch');
  t.is(attributesOf(batch!)['lars.outcome'], 'dead-letters');
  t.is(attributesOf(batch!)['lars.batch.refused'], 3);
  const failures = named(spans, 'statement').filter(({ status }) => status.code === 2);
  t.deepEqual([...new Set(failures.map((span) => attributesOf(span)['error.type']))].sort(), [
    'poison',
    'retry',
  ]);
  const held = new Set(spans.flatMap((span) => Object.keys(attributesOf(span))));
  t.deepEqual([...held].sort(), [
    ...['error.type', 'lars.batch.id', 'lars.batch.received', 'lars.batch.refused', 'lars.batch.rows'],
    ...['lars.outcome', 'lars.partition', 'lars.statement.rows'],
  ]);
  // Digits alone stand in times, too.
  t.notRegex(receiver.bodies.join(), /(?<!\d)71717(?!\d)/);
});

test('what is not stored at the end is told: its rows stay in the journal', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const { reporter, store } = await start(t, { otlpUrl: receiver.url, sampleRatio: 1 });
  store.fail('retry');
  await reporter.report(numberedReport(1, 1, 3, 1));
  await reporter.stop();
  t.deepEqual(
    named(receiver.spans, 'batch').map((span) => attributesOf(span)['lars.outcome']),
    ['stopped'],
  );
});

test('while the store is away, batches are followed up to a bound', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const followed: boolean[] = [];
  const { reporter, store } = await start(
    t,
    { otlpUrl: receiver.url, sampleRatio: 1 },
    { onEvent: (event) => event.type === 'batch-journaled' && followed.push(event.isFollowed) },
  );
  store.fail('retry');
  for (let round = 1; round <= 12; round++) await reporter.report(numberedReport(1, round, 1, 1));
  await reporter.stop();
  t.deepEqual(
    followed,
    Array.from({ length: 12 }, (_, index) => index < 8),
  );
  t.is(named(receiver.spans, 'batch').length, 8);
});

test('no batch is traced with a share of 0, and metrics come all the same', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const telemetry = { otlpUrl: receiver.url, sampleRatio: 0, metricsIntervalS: 1 };
  const { reporter, isStored } = await start(t, telemetry);
  await reporter.report(numberedReport(1, 1, 5, 1));
  await isStored();
  const received = () =>
    receiver.exports.at(-1)?.get('lars_reporter_rows_upserted_total')?.sum?.dataPoints[0]?.asDouble;
  await until(() => received() === 5, { ...BOUND, what: 'the metrics' });
  await reporter.stop();
  t.deepEqual(receiver.spans, []);
  t.is(receiver.exports.at(-1)?.get('lars_reporter_flush_rows')?.histogram?.dataPoints[0]?.count, 1);
});

test('the metrics that are sent are those of /metrics, each with its labels and its value', async (t) => {
  const metrics = new Metrics({ writers: 2, source: busyStatus, version: '1.2.3' });
  for (const rows of [1, 3, 3, 20_000])
    metrics.observe({ type: 'statement-flushed', partition: 0, rows, seconds: 0.02 });
  const packages = await importPackages();
  const source = new MetricSource({
    packages,
    resource: packages.resources.emptyResource(),
    scope: { name: 'test', version: '1' },
    families: () => metrics.families(),
  });
  const { resourceMetrics, errors } = await source.collect();
  t.deepEqual(errors, []);
  const { DataPointType } = packages.sdkMetrics;
  const sent = new Map<string, number>();
  const types = new Map<string, string>();
  for (const metric of resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
    const { name } = metric.descriptor;
    types.set(name, DataPointType[metric.dataPointType].toLowerCase());
    if (metric.dataPointType === DataPointType.HISTOGRAM) {
      const { buckets, count, sum } = metric.dataPoints[0]!.value;
      let below = 0;
      for (const [index, each] of buckets.counts.entries()) {
        below += each;
        sent.set(`${name}_bucket{le="${buckets.boundaries[index] ?? '+Inf'}"}`, below);
      }
      sent.set(`${name}_count`, count).set(`${name}_sum`, sum ?? Number.NaN);
    } else if (metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) {
      for (const { attributes, value } of metric.dataPoints) {
        const labels = Object.entries(attributes).map(([label, text]) => `${label}="${text}"`);
        sent.set(labels.length > 0 ? `${name}{${labels.join()}}` : name, value);
      }
    }
  }
  const scraped = parsePrometheus(await metrics.text());
  const expected = new Map([...scraped.values()].flatMap(({ samples }) => [...samples]));
  t.deepEqual(Object.fromEntries([...sent].sort()), Object.fromEntries([...expected].sort()));
  t.deepEqual(
    Object.fromEntries(types),
    Object.fromEntries([...scraped].map(([name, { type }]) => [name, type === 'counter' ? 'sum' : type])),
  );
});

test('a collector that is away harms nothing, and is complained of once a minute', async (t) => {
  const away = await OtlpReceiver.start(t);
  const { url } = away;
  away.close();
  const warnings: object[] = [];
  const none = () => {};
  const logger: Logger = {
    debug: none,
    info: none,
    error: none,
    warn: (fields) => void warnings.push(fields),
  };
  const failures: EventMap['telemetry-failed'][] = [];
  const { reporter, isStored } = await start(
    t,
    { otlpUrl: url, sampleRatio: 1, metricsIntervalS: 1 },
    { logger, onEvent: (event) => event.type === 'telemetry-failed' && failures.push(event) },
  );
  await reporter.report(numberedReport(1, 1, 5, 1));
  await isStored();
  const ofMetrics = () => failures.filter(({ signal }) => signal === 'metrics').length;
  await until(() => ofMetrics() >= 2, { ...BOUND, what: 'two exports that fail' });
  t.true((await reporter.drain()).drained);
  await reporter.stop();
  const complaints = warnings.filter((fields) => 'peer' in fields && fields.peer === 'telemetry');
  t.deepEqual(complaints.map((fields) => 'kind' in fields && fields.kind).sort(), ['metrics', 'traces']);
});

test('a collector that does not answer holds up neither reports nor a drain', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  receiver.isHanging = true;
  const { reporter, isStored } = await start(t, {
    otlpUrl: receiver.url,
    sampleRatio: 1,
    metricsIntervalS: 1,
  });
  await until(() => receiver.requests > 0, { ...BOUND, what: 'a request that hangs' });
  await reporter.report(numberedReport(1, 1, 5, 1));
  await isStored();
  t.true((await reporter.drain()).drained);
  await reporter.stop();
  t.is(reporter.status().state, 'stopped');
});

test('sending what is left ends within its bound, whatever the exporters do', async (t) => {
  const packages = await importPackages();
  const hang = () => new Promise<void>(() => {});
  const hanging = { export: () => {}, shutdown: hang, forceFlush: hang };
  const telemetry = await startTelemetry({
    ...{ otlpUrl: 'http://127.0.0.1:9', sampleRatio: 1, metricsIntervalS: 3600, version: '1' },
    families: async () => [],
    onFailure: () => {},
    load: async () => {
      const { OTLPTraceExporter } = packages.traceExporter;
      const { OTLPMetricExporter } = packages.metricExporter;
      return {
        ...packages,
        traceExporter: {
          ...packages.traceExporter,
          OTLPTraceExporter: class extends OTLPTraceExporter {
            constructor() {
              super();
              Object.assign(this, hanging);
            }
          },
        },
        metricExporter: {
          ...packages.metricExporter,
          OTLPMetricExporter: class extends OTLPMetricExporter {
            constructor() {
              super();
              Object.assign(this, hanging);
            }
          },
        },
      };
    },
  });
  const beganMs = performance.now();
  await telemetry.end();
  // Without its bound it would never end.
  t.true(performance.now() - beganMs < 15_000);
});
