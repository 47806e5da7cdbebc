import { setTimeout as sleep } from 'node:timers/promises';
import { errorOf } from '../../model/errors.js';
import type { EventMap, ReporterEvent } from '../events.js';
import type { MetricFamily } from '../metrics.js';
import { BatchTraces } from './batch-traces.js';
import { MetricSource } from './metric-source.js';
import { importPackages, type TelemetryPackages } from './packages.js';

/** One request, its repetitions included, gets this long. */
const EXPORT_MS = 2000;
/** What is left is sent within so long at the end. */
const END_MS = 2000;
const SERVICE = 'lars-reporter';

export interface TelemetryOptions {
  /** Of a collector: `/v1/traces` and `/v1/metrics` are added. */
  readonly otlpUrl: string;
  /** Share of batches that are traced, 0…1. */
  readonly sampleRatio: number;
  readonly metricsIntervalS: number;
  /** Of this package. */
  readonly version: string;
  readonly families: () => Promise<readonly MetricFamily[]>;
  /** Something could not be sent. It is discarded, or sent with the next. */
  readonly onFailure: (failure: EventMap['telemetry-failed']) => void;
  /** `importPackages` unless given. */
  readonly load?: () => Promise<TelemetryPackages>;
}

/** What goes to a collector. Bounded: what it does not take in time is discarded. */
export interface Telemetry {
  /** Takes the events of the reporter. */
  readonly observe: (event: ReporterEvent) => void;
  /** Whether the next batch is to be traced; undefined when none is. */
  readonly samples: (() => boolean) | undefined;
  /** Sends what is left, within two seconds, and ends. Never rejects. */
  end(): Promise<void>;
}

/**
 * Imports the SDK and starts it, beside whatever SDK the host of the process has: nothing global is set. Rejects with
 * ReporterError CONFIG_INVALID when its packages are missing.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { otlpUrl, sampleRatio, metricsIntervalS, version, families, onFailure } = options;
  const packages = await (options.load ?? importPackages)();
  const { api, resources, sdkMetrics, sdkTrace, metricExporter, traceExporter } = packages;
  // The environment may name the service otherwise: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': SERVICE, 'service.version': version }))
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const to = (signal: 'traces' | 'metrics') => ({
    url: `${otlpUrl.replace(/\/+$/, '')}/v1/${signal}`,
    timeoutMillis: EXPORT_MS,
  });
  const spans = telling(new traceExporter.OTLPTraceExporter(to('traces')), 'traces', onFailure);
  const tracing = new sdkTrace.TracerProvider({
    resource,
    sampler: new sdkTrace.AlwaysOnSampler(),
    spanProcessors: [new sdkTrace.BatchSpanProcessor({ exporter: spans })],
  });
  const numbers = telling(new metricExporter.OTLPMetricExporter(to('metrics')), 'metrics', onFailure);
  const scope = { name: SERVICE, version };
  const reader = new sdkMetrics.PeriodicExportingMetricReader({
    exporter: numbers,
    exportIntervalMillis: metricsIntervalS * 1000,
    exportTimeoutMillis: Math.min(EXPORT_MS, metricsIntervalS * 1000),
    metricProducers: [new MetricSource({ packages, resource, scope, families })],
  });
  const metering = new sdkMetrics.MeterProvider({ resource, readers: [reader] });
  const traces = new BatchTraces(tracing.getTracer(SERVICE, version), api);
  return {
    observe: traces.observe,
    samples: sampleRatio > 0 ? () => Math.random() < sampleRatio : undefined,
    end: async () => {
      traces.end();
      const ended = Promise.allSettled([tracing.shutdown(), metering.shutdown()]);
      const late = new AbortController();
      const timeUp = sleep(END_MS, undefined, { signal: late.signal }).catch(() => {});
      await Promise.race([ended, timeUp]);
      late.abort();
    },
  };
}

interface Exporter<Items, Result> {
  export(items: Items, done: (result: Result) => void): void;
}

/** The same exporter, which tells its failures: the SDK itself keeps them to itself. */
function telling<
  Items,
  Result extends { readonly code: number; readonly error?: Error },
  E extends Exporter<Items, Result>,
>(
  exporter: E & Exporter<Items, Result>,
  signal: 'traces' | 'metrics',
  onFailure: TelemetryOptions['onFailure'],
): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) onFailure({ signal, error: errorOf(result.error ?? 'it was refused') });
      done(result);
    });
  return exporter;
}
